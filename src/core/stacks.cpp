#include "core/stacks.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "core/log.hpp"
#include "core/program_symbols.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

constexpr std::size_t kThreads = 64;
constexpr int kFrames = 40;
constexpr std::size_t kNameLetters = 160;
constexpr std::chrono::milliseconds kPatience(250);

/// Of the signals nobody else has a use for.
int stack_signal() { return SIGRTMAX - 2; }

enum class State { idle, asked, writing, done };

/// Where one thread's handler notes its return addresses. Static, since a handler may run late.
struct Slot {
  std::atomic<pid_t> thread{0};
  std::atomic<State> state{State::idle};
  std::array<void*, kFrames> frames{};
  int depth = 0;
};

std::array<Slot, kThreads> slots;

pid_t this_thread() { return static_cast<pid_t>(::syscall(SYS_gettid)); }

/// In a signal handler: atomics and backtrace(), whose library is loaded by then, and nothing else.
void note_frames(int) {
  const int reason = errno;
  const pid_t thread = this_thread();
  for (Slot& slot : slots) {
    State expected = State::asked;
    if (slot.thread.load() != thread) continue;
    if (!slot.state.compare_exchange_strong(expected, State::writing)) continue;
    slot.depth = ::backtrace(slot.frames.data(), kFrames);
    slot.state = State::done;
  }
  errno = reason;
}

void install_handler() {
  std::array<void*, 1> unused{};
  ::backtrace(unused.data(), 1);  // loads what it needs, which a handler may not do
  struct sigaction action {};
  action.sa_handler = &note_frames;
  action.sa_flags = SA_RESTART;
  ::sigaction(stack_signal(), &action, nullptr);
}

std::vector<pid_t> threads_of_process() {
  std::vector<pid_t> threads;
  std::error_code ended;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", ended)) {
    threads.push_back(std::atoi(entry.path().filename().c_str()));
  }
  std::ranges::sort(threads);
  if (threads.size() > kThreads) threads.resize(kThreads);
  return threads;
}

/// Asks the threads at once, and waits for what they note.
void interrupt(const std::vector<pid_t>& threads) {
  for (std::size_t i = 0; i < threads.size(); ++i) {
    slots[i].depth = 0;
    slots[i].thread = threads[i];
    slots[i].state = State::asked;
    ::syscall(SYS_tgkill, ::getpid(), threads[i], stack_signal());
  }
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (std::size_t i = 0; i < threads.size(); ++i) {
    while (slots[i].state != State::done && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    State expected = State::asked;  // too late from here on
    if (slots[i].state.compare_exchange_strong(expected, State::idle)) slots[i].depth = 0;
    while (slots[i].state == State::writing) std::this_thread::yield();
  }
}

std::string demangled(const char* name) {
  int failed = 0;
  char* readable = abi::__cxa_demangle(name, nullptr, nullptr, &failed);
  std::string text = readable == nullptr ? name : readable;
  std::free(readable);
  if (text.size() > kNameLetters) text = text.substr(0, kNameLetters) + "...";
  return text;
}

/// What addresses mean. "program+0x1f2e" is for addr2line.
class Addresses {
 public:
  Addresses() {
    Dl_info own{};
    if (::dladdr(reinterpret_cast<void*>(&note_frames), &own) != 0) program_ = own.dli_fbase;
  }

  std::string text(void* address) const {
    Dl_info info{};
    if (::dladdr(address, &info) == 0 || info.dli_fname == nullptr) return cat(address);
    const auto offset = static_cast<std::uint64_t>(static_cast<char*>(address) -
                                                   static_cast<char*>(info.dli_fbase));
    std::string name = info.dli_sname == nullptr ? "" : info.dli_sname;
    if (info.dli_fbase == program_) name = symbols_.name_at(offset);
    const auto file = std::filesystem::path(info.dli_fname).filename().string();
    return cat(name.empty() ? "?" : demangled(name.c_str()), " (", file, "+0x", std::hex, offset,
               ")");
  }

 private:
  void* program_ = nullptr;
  ProgramSymbols symbols_;
};

std::vector<std::string> frames_of(const Slot& slot, const Addresses& addresses) {
  constexpr int kOfHandler = 2;  // note_frames() and the kernel's way back from it
  std::vector<std::string> frames;
  for (int i = kOfHandler; i < slot.depth; ++i) {
    // A return address may be that of the next function: one before it is in the call.
    auto* const address = static_cast<char*>(slot.frames[static_cast<std::size_t>(i)]);
    frames.push_back(addresses.text(i == kOfHandler ? address : address - 1));
  }
  return frames;
}

std::string name_of(pid_t thread) {
  std::ifstream file(cat("/proc/self/task/", thread, "/comm"));
  std::string name;
  std::getline(file, name);
  return cat("thread ", thread, " (", name, ")");
}

}  // namespace

std::vector<Stack> stacks_of_all_threads() {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  install_handler();
  const std::vector<pid_t> threads = threads_of_process();
  interrupt(threads);
  const Addresses addresses;
  std::vector<Stack> stacks;
  for (std::size_t i = 0; i < threads.size(); ++i) {
    const std::vector<std::string> frames = frames_of(slots[i], addresses);
    const auto alike = std::ranges::find(stacks, frames, &Stack::frames);
    if (alike == stacks.end()) {
      stacks.push_back({name_of(threads[i]), frames});
    } else {
      alike->threads += ", " + name_of(threads[i]);
    }
  }
  return stacks;
}

void log_stacks_once() {
  static std::atomic_flag logged;
  if (logged.test_and_set()) return;
  for (const Stack& stack : stacks_of_all_threads()) {
    log::record(stack.threads, stack.frames.empty() ? " does not react" : "");
    for (const std::string& frame : stack.frames) log::record("    ", frame);
  }
}

void name_this_thread(const char* name) { ::pthread_setname_np(::pthread_self(), name); }

}  // namespace effuse
