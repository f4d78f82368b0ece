#pragma once

#include <exception>
#include <string>

namespace effuse {

/// What an error says to a person: libtorch's carry a backtrace, which is left out.
std::string plain_message(const std::exception& error);

}  // namespace effuse
