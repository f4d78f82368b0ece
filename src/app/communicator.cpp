#include "app/communicator.hpp"

namespace effuse {

std::unique_ptr<Communicator> open_communicator(Session& session, const ParallelConfig& parallel,
                                                at::Device device) {
  return make_communicator(session, parallel.backend, device,
                           {.startup_s = parallel.startup_timeout_s,
                            .step_s = parallel.step_timeout_s,
                            .preview_s = parallel.preview_timeout_s,
                            .save_s = parallel.save_timeout_s,
                            .evaluation_s = parallel.evaluation_timeout_s});
}

}  // namespace effuse
