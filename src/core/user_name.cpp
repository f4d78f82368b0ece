#include "core/user_name.hpp"

#include <pwd.h>
#include <unistd.h>

#include <array>

namespace effuse {

std::string user_name() {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> text{};
  const uid_t user = ::geteuid();
  ::getpwuid_r(user, &entry, text.data(), text.size(), &found);
  return found != nullptr ? found->pw_name : std::to_string(user);
}

}  // namespace effuse
