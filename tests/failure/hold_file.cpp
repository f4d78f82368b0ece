#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>
#include <cstdlib>
#include <cstring>

/// Preloaded into a job by tests/failure: the first time a process opens a file for writing whose
/// path contains $EFFUSE_HOLD, it waits until the test has opened and closed the pipe
/// $EFFUSE_HOLD_GATE, as if the disk had kept it so long.
namespace {

using Open = int (*)(const char*, int, ...);

Open real_open() {
  static const Open function = reinterpret_cast<Open>(::dlsym(RTLD_NEXT, "open"));
  return function;
}

bool is_held(const char* path, int flags) {
  const char* part = std::getenv("EFFUSE_HOLD");
  return part != nullptr && (flags & O_ACCMODE) != O_RDONLY && std::strstr(path, part) != nullptr;
}

void wait_at_gate() {
  static std::atomic_flag passed;
  const char* gate = std::getenv("EFFUSE_HOLD_GATE");
  if (gate == nullptr || passed.test_and_set()) return;
  int pipe = -1;
  while (pipe < 0) pipe = real_open()(gate, O_RDONLY);  // signals interrupt it
  char nothing = 0;
  while (::read(pipe, &nothing, 1) != 0) continue;
  ::close(pipe);
}

}  // namespace

extern "C" int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if (is_held(path, flags)) wait_at_gate();
  return real_open()(path, flags, mode);
}
