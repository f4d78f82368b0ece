#include "report/training_log.hpp"

#include <cerrno>
#include <cmath>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "report/counted.hpp"

namespace effuse {
namespace {

constexpr std::size_t kReadBytes = 1 << 18;

void note_restarts(TrainingLog& log, const LogLine& line) {
  for (Restart& restart : log.restarts) {
    if (line.step <= restart.after_step) restart.before_s = line.time_s;
    if (line.step > restart.after_step && std::isnan(restart.after_s)) {
      restart.after_s = line.time_s;
    }
  }
}

void take(TrainingLog& log, const LogLine& line) {
  log.curves.add(line);
  log.last = line;
  ++log.lines;
  if (!line.good && ++log.bad_lines <= static_cast<std::int64_t>(TrainingLog::kNamedBadSteps)) {
    log.bad_steps.push_back(line.step);
  }
  note_restarts(log, line);
}

}  // namespace

TrainingLog read_training_log(const std::filesystem::path& file, std::vector<Restart> restarts) {
  TrainingLog log;
  log.restarts = std::move(restarts);
  if (!std::filesystem::exists(file)) return log;
  std::string buffer(kReadBytes, '\0');
  std::ifstream in;
  in.rdbuf()->pubsetbuf(buffer.data(), static_cast<std::streamsize>(buffer.size()));
  in.open(file, std::ios::binary);
  if (!in) throw std::system_error(errno, std::generic_category(), cat("reading ", file.string()));
  std::string text;
  LogLineParser parser;
  LogLine line;
  while (std::getline(in, text)) {
    const bool torn = in.eof();  // no line feed: it is being written, or its writer was killed
    if (parser.parse(text, line)) {
      if (log.lines == 0 || line.step > log.last.step) {
        take(log, line);
      } else {
        ++log.late_lines;
      }
    } else if (!torn) {
      ++log.damaged_lines;
    }
  }
  if (log.lines == 0 && log.damaged_lines > 0) {
    throw DataError(cat(file.string(), " is damaged: ",
                        log.damaged_lines == 1
                            ? "its only line is no"
                            : cat("none of its ", counted(log.damaged_lines, "line"), " is a"),
                        " JSON object with a step, so there is nothing to draw. Copy the run ",
                        "folder again, or take it from a backup."));
  }
  return log;
}

}  // namespace effuse
