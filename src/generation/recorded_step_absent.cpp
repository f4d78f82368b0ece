#include "generation/recorded_step.hpp"

namespace effuse {

NoiseModel recorded(NoiseModel model) { return model; }

}  // namespace effuse
