#pragma once

/// The wish to stop, as signals bring it: Slurm's warning before the time limit, preemption,
/// Ctrl-C. The handler only sets a flag; jobs poll it at places where stopping loses nothing.
namespace effuse {

/// SIGUSR1, SIGUSR2, SIGTERM and SIGINT set the flag. A second SIGINT ends the process at once.
void install_stop_handlers();

/// The signal that asked this process to stop, 0 while none has.
int stop_signal();

/// "SIGUSR1" for 10, and so on; "none" for 0.
const char* signal_name(int signal);

}  // namespace effuse
