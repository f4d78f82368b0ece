#pragma once

#include <string>
#include <vector>

namespace effuse {

/// What threads of this process are doing at this moment.
struct Stack {
  std::string threads;              ///< "thread 4711 (roll call)"; several where all are alike
  std::vector<std::string> frames;  ///< innermost first: "function (program+0x1f2e)"
};

/// The call stacks of all threads, at most 64 threads and 40 frames each. Each thread is
/// interrupted by a signal whose handler does nothing but note the return addresses; one that does
/// not react in a quarter of a second, because the kernel holds it, has no frames.
///
/// System calls of other threads may return early (EINTR): meant for a process that is about to
/// end. Thread-safe.
std::vector<Stack> stacks_of_all_threads();

/// Writes the stacks to this rank's log, the first time it is called in a process.
void log_stacks_once();

/// Names the calling thread, in at most 15 letters, for stacks and for what shows threads (top,
/// gdb).
void name_this_thread(const char* name);

}  // namespace effuse
