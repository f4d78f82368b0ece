#pragma once

#include <string>

namespace effuse {

/// Who runs this process: the account's name, or its number where it has none, as in a container.
std::string user_name();

}  // namespace effuse
