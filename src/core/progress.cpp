#include "core/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "core/text.hpp"

namespace effuse {
namespace {

constexpr double kRedrawInterval_s = 0.2;

double seconds_between(std::chrono::steady_clock::time_point a,
                       std::chrono::steady_clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

}  // namespace

ProgressStyle progress_style(int rank) {
  if (rank != 0) return ProgressStyle::silent;
  return ::isatty(STDERR_FILENO) == 1 ? ProgressStyle::redraw : ProgressStyle::lines;
}

Progress::Progress(Options options)
    : options_(std::move(options)), began_(Clock::now()), shown_(began_), done_(options_.start) {}

Progress::~Progress() {
  if (line_open_) std::fputc('\n', stderr);
}

void Progress::update(std::uint64_t done, std::string_view detail) {
  done_ = done;
  detail_ = detail;
  const double interval_s =
      options_.style == ProgressStyle::redraw ? kRedrawInterval_s : options_.line_interval_s;
  if (seconds_between(shown_, Clock::now()) >= interval_s) show();
}

void Progress::finish() {
  if (std::exchange(finished_, true)) return;
  const bool said = options_.style == ProgressStyle::lines && shown_done_ == done_;
  if (!said) show();
}

std::string Progress::render() const {
  const double elapsed_s = seconds_between(began_, Clock::now());
  const auto done_here = static_cast<double>(done_ - options_.start);
  const auto left = static_cast<double>(options_.total - std::min(done_, options_.total));
  const double share =
      options_.total == 0 ? 1.0 : static_cast<double>(done_) / static_cast<double>(options_.total);
  std::string line = cat(options_.task, "  ", human_count(done_), "/", human_count(options_.total),
                         " ", options_.unit, "  ", fixed(100.0 * share, 0), "%");
  if (!detail_.empty()) line += cat(" | ", detail_);
  if (left == 0) return cat(line, " | ", human_seconds(elapsed_s));
  if (done_here > 0) line += cat(" | ", human_seconds(elapsed_s / done_here * left), " left");
  return line;
}

void Progress::show() {
  shown_ = Clock::now();
  shown_done_ = done_;
  if (options_.style == ProgressStyle::silent) return;
  const std::string line = render();
  if (options_.style == ProgressStyle::lines) {
    std::fputs(cat(line, "\n").c_str(), stderr);
    return;
  }
  std::fputs(cat("\r\033[K", line, finished_ ? "\n" : "").c_str(), stderr);
  line_open_ = !finished_;
}

}  // namespace effuse
