#pragma once

#include <string_view>

namespace effuse {

/// Release of Effuse, "major.minor.patch".
std::string_view version();

/// Git revision the build was configured from, "-dirty" where the tree had changes, empty outside
/// git.
std::string_view revision();

}  // namespace effuse
