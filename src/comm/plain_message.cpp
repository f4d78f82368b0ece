#include "comm/plain_message.hpp"

#include <c10/util/Exception.h>

namespace effuse {

std::string plain_message(const std::exception& error) {
  const auto* const torch = dynamic_cast<const c10::Error*>(&error);
  return torch != nullptr ? torch->what_without_backtrace() : error.what();
}

}  // namespace effuse
