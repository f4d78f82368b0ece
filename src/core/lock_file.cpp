#include "core/lock_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "core/error.hpp"
#include "core/host_name.hpp"
#include "core/lock_holder.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

enum class Attempt { locked, held_by_another, unsupported };

Attempt try_lock(int descriptor, int operation) {
  while (::flock(descriptor, operation) != 0) {
    if (errno == EINTR) continue;
    return errno == EWOULDBLOCK ? Attempt::held_by_another : Attempt::unsupported;
  }
  return Attempt::locked;
}

/// As try_lock(), but who only asks whether the lock is held (lock_holder()) is waited for.
Attempt lock_beside_those_who_ask(int descriptor, int operation) {
  constexpr int kMost = 10;
  Attempt attempt = try_lock(descriptor, operation);
  for (int again = 0; again < kMost && attempt == Attempt::held_by_another; ++again) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    attempt = try_lock(descriptor, operation);
  }
  return attempt;
}

/// Whether `file` still names what was opened: its last holder removes it.
bool is_file_of(int descriptor, const std::filesystem::path& file) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(descriptor, &opened) == 0 && ::stat(file.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

/// Whether this_process() was called on this host.
bool is_of_this_host(std::string_view holder) {
  return holder.find(cat(" on ", host_name(), " (process ")) != holder.npos;
}

std::string this_process() {
  return cat(program_invocation_short_name, " on ", host_name(), " (process ", ::getpid(), ")");
}

std::string holder_in(int descriptor) {
  std::array<char, 512> text{};
  const ssize_t size = ::pread(descriptor, text.data(), text.size(), 0);
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "another process";
}

}  // namespace

LockFile::LockFile(std::filesystem::path file, std::string_view subject, std::string_view advice)
    : file_(std::move(file)) {
  const std::string holder = take(LOCK_EX | LOCK_NB);
  if (!holder.empty()) throw ConfigError(cat(subject, " is in use by ", holder, ". ", advice));
}

LockFile::LockFile(std::filesystem::path file) : file_(std::move(file)) { take(LOCK_EX); }

std::string LockFile::take(int operation) {
  while (true) {
    descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    // Where this process may write nothing there is nothing to guard.
    if (descriptor_ < 0 && (errno == EACCES || errno == EROFS)) return {};
    if (descriptor_ < 0) {
      throw std::system_error(errno, std::generic_category(),
                              cat("cannot create ", file_.string()));
    }
    const Attempt attempt = lock_beside_those_who_ask(descriptor_, operation);
    if (attempt == Attempt::held_by_another) {
      const std::string holder = holder_in(descriptor_);
      ::close(std::exchange(descriptor_, -1));
      return holder;
    }
    if (attempt == Attempt::unsupported) {
      log::warning(file_.string(), " could not be locked: what it guards is not guarded against a ",
                   "second process at the same time.");
      return {};
    }
    if (is_file_of(descriptor_, file_)) break;
    ::close(descriptor_);
  }
  const std::string holder = this_process();
  // Best effort: the name only makes the other's message better.
  if (::ftruncate(descriptor_, 0) == 0) {
    [[maybe_unused]] const ssize_t written = ::pwrite(descriptor_, holder.data(), holder.size(), 0);
  }
  return {};
}

LockFile::~LockFile() {
  if (descriptor_ < 0) return;
  // Removed before it is let go: another process that opened it meanwhile sees that it is gone.
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
  ::close(descriptor_);
}

LockHolder lock_holder(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return LockHolder::unknown;
  // Shared, so that two that ask do not take each other for a holder.
  const Attempt attempt = try_lock(descriptor, LOCK_SH | LOCK_NB);
  LockHolder holder = LockHolder::unknown;
  if (attempt == Attempt::held_by_another) holder = LockHolder::alive;
  // Not every file system shows a host the locks of another.
  if (attempt == Attempt::locked && is_of_this_host(holder_in(descriptor))) {
    holder = LockHolder::gone;
  }
  ::close(descriptor);
  return holder;
}

}  // namespace effuse
