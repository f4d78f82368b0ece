#include "core/lock_holder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "core/host_name.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

/// As LockFile writes it: "effuse-train on node-3 (process 815)".
bool is_of_this_host(int descriptor) {
  std::array<char, 512> text{};
  const ssize_t size = ::pread(descriptor, text.data(), text.size(), 0);
  const std::string holder(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return holder.find(cat(" on ", host_name(), " (process ")) != holder.npos;
}

}  // namespace

LockHolder lock_holder(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return LockHolder::unknown;
  // Shared, so that two that ask do not take each other for a holder.
  int result = 0;
  do {
    result = ::flock(descriptor, LOCK_SH | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  LockHolder holder = LockHolder::unknown;
  if (result != 0 && errno == EWOULDBLOCK) holder = LockHolder::alive;
  // Not every file system shows a host the locks of another.
  if (result == 0 && is_of_this_host(descriptor)) holder = LockHolder::gone;
  ::close(descriptor);
  return holder;
}

}  // namespace effuse
