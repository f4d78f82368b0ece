#include "app/run_report.hpp"

#include <exception>
#include <utility>

#include "core/log.hpp"
#include "report/report.hpp"

namespace effuse {

void RunReport::write() {
  Stopwatch watch;
  try {
    write_report(run_);
  } catch (const std::exception& error) {
    if (!std::exchange(failed_, true)) log::local_warning("no report.html: ", error.what());
  }
  writing_s_ = watch.lap_s();
  since_written_.lap_s();
}

void RunReport::write_if_due() {
  if (since_written_.elapsed_s() >= 100.0 * writing_s_) write();
}

}  // namespace effuse
