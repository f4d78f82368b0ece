#include "app/run_report.hpp"

#include <exception>
#include <system_error>
#include <utility>

#include "core/log.hpp"
#include "report/report.hpp"

namespace effuse {

bool RunReport::try_to_write() {
  Stopwatch watch;
  bool is_written = false;
  try {
    write_report(run_);
    is_written = true;
  } catch (const std::exception& error) {
    std::error_code unknown;
    const bool is_old = std::filesystem::exists(run_ / "report.html", unknown);
    if (!std::exchange(warned_, true)) {
      log::local_warning(is_old ? "report.html is not of now: " : "no report.html: ", error.what());
    }
  }
  writing_s_ = watch.lap_s();
  since_written_.lap_s();
  return is_written;
}

void RunReport::write() {
  warned_ = false;
  if (try_to_write()) log::info("report      ", (run_ / "report.html").string());
}

void RunReport::write_if_due() {
  if (since_written_.elapsed_s() >= 100.0 * writing_s_) try_to_write();
}

}  // namespace effuse
