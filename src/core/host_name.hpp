#pragma once

#include <string>

namespace effuse {

/// This host, as it calls itself.
std::string host_name();

}  // namespace effuse
