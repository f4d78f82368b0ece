#include "core/stop.hpp"

#include <csignal>
#include <initializer_list>

namespace effuse {
namespace {

volatile std::sig_atomic_t received_signal = 0;

void remember(int signal) {
  if (signal == SIGINT && received_signal == SIGINT) {
    std::signal(SIGINT, SIG_DFL);
    std::raise(SIGINT);
  }
  received_signal = signal;
}

}  // namespace

void install_stop_handlers() {
  struct sigaction action {};
  action.sa_handler = &remember;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGUSR1, SIGUSR2, SIGTERM, SIGINT}) {
    ::sigaction(signal, &action, nullptr);
  }
  // Who read the messages may have gone: no reason to lose the work. The log file has them.
  std::signal(SIGPIPE, SIG_IGN);
}

int stop_signal() { return received_signal; }

const char* signal_name(int signal) {
  switch (signal) {
    case 0:
      return "none";
    case SIGUSR1:
      return "SIGUSR1";
    case SIGUSR2:
      return "SIGUSR2";
    case SIGTERM:
      return "SIGTERM";
    case SIGINT:
      return "SIGINT";
    default:
      return "another signal";
  }
}

}  // namespace effuse
