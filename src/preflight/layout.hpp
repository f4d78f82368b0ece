#pragma once

#include "preflight/places.hpp"

namespace effuse {

/// Whether every host has as many ranks as the others, dealt out in the same way.
Finding judge_layout(const Places& places);

}  // namespace effuse
