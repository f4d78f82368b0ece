#include "report/report.hpp"

#include "boundary.hpp"
#include "config/command_line.hpp"
#include "core/files.hpp"
#include "core/text.hpp"

namespace {

using namespace effuse;

Program program() {
  return {.name = "effuse-report",
          .summary =
              "Shows a training run in one HTML file that needs no network: how it went, its "
              "curves, previews, scores, restarts, checkpoints and configuration. Of several runs "
              "it makes a comparison. A run may be going on.",
          .examples =
              "  effuse-report runs/faces\n"
              "  effuse-report runs/faces runs/faces-v --output faces.html\n"
              "  effuse-report runs/faces --samples samples\n",
          .sections = {"report"},
          .key_flags = {{"--output", "report.output"}, {"--samples", "report.samples"}},
          .extra_flags = {},
          .arguments = {"RUN", "report.runs"}};
}

ReportRequest request_of(const ReportConfig& config) {
  if (config.runs.empty()) {
    throw ConfigError("no run is given: effuse-report RUN, as in effuse-report runs/faces.");
  }
  return {.runs = {config.runs.begin(), config.runs.end()},
          .output = config.output,
          .samples = {config.samples.begin(), config.samples.end()}};
}

ExitCode run(const CommandLine& line) {
  const ReportRequest request = request_of(line.config.report);
  const std::string page = make_report(request);
  if (line.check) {
    log::info("fine; the report would have ", human_bytes(page.size()));
    return ExitCode::done;
  }
  const std::filesystem::path place = report_place(request);
  if (std::filesystem::is_directory(place)) {
    throw ConfigError(cat(place.string(), " is a folder. Give --output a file, such as ",
                          (place / "report.html").string(), "."));
  }
  if (place.has_parent_path()) std::filesystem::create_directories(place.parent_path());
  write_file_atomically(place, page);
  log::info("report: ", place.string(), " (", human_bytes(page.size()), ")");
  return ExitCode::done;
}

}  // namespace

int main(int argc, char** argv) {
  return effuse::run_tool([&] {
    const auto line = parse_command_line(program(), argc, argv);
    return line ? run(*line) : ExitCode::done;
  });
}
