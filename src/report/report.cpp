#include "report/report.hpp"

#include <algorithm>
#include <string>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/text.hpp"
#include "core/unix_time.hpp"
#include "report/page.hpp"
#include "report/page_data.hpp"
#include "report/run_record.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

/// Previews of all runs together are as large as those of one.
PreviewBudget budget_of_each(std::size_t runs) {
  const PreviewBudget all;
  return {.pictures = std::max<std::size_t>(all.pictures / runs, 6),
          .total_bytes = all.total_bytes / runs};
}

/// Two folders of one name, as a/run and b/run, are told apart by the folder above.
void tell_apart(std::vector<RunRecord>& runs) {
  const auto same_name = [&runs](const std::string& name) {
    return std::ranges::count(runs, name, &RunRecord::name) > 1;
  };
  std::vector<std::string> names;
  for (const RunRecord& run : runs) {
    const fs::path folder = run.folder;
    names.push_back(same_name(run.name)
                        ? cat(folder.parent_path().filename().string(), "/", run.name)
                        : run.name);
  }
  for (std::size_t i = 0; i < runs.size(); ++i) runs[i].name = names[i];
}

void require_different_runs(const std::vector<RunRecord>& runs) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    for (std::size_t j = i + 1; j < runs.size(); ++j) {
      if (fs::equivalent(runs[i].folder, runs[j].folder)) {
        throw DataError(cat(runs[j].folder, " is given twice. Give each run once."));
      }
    }
  }
}

void require_samples_of_runs(const ReportRequest& request, const std::vector<RunRecord>& runs) {
  for (const fs::path& set : request.samples) {
    const RunSamples samples = read_samples(set);
    const auto made = [&](const RunRecord& run) {
      return made_with(set, run.folder, run.checkpoints);
    };
    if (std::ranges::any_of(runs, made)) continue;
    throw DataError(cat(set.string(), " was made with other weights (of step ",
                        samples.weights_step, ") than those of the run. Give a folder that ",
                        "effuse-sample --weights RUN wrote."));
  }
}

std::string title_of(const std::vector<RunRecord>& runs) {
  if (runs.size() == 1) return cat(runs.front().name, " · training run");
  std::string names;
  for (const RunRecord& run : runs) names += cat(names.empty() ? "" : ", ", run.name);
  return cat("Comparison of ", names);
}

}  // namespace

fs::path report_place(const ReportRequest& request) {
  if (!request.output.empty()) return request.output;
  return request.runs.size() == 1 ? request.runs.front() / "report.html" : "comparison.html";
}

std::string make_report(const ReportRequest& request) {
  std::vector<RunRecord> runs;
  for (const fs::path& folder : request.runs) {
    runs.push_back(read_run(folder, budget_of_each(request.runs.size()), request.samples));
  }
  require_different_runs(runs);
  require_samples_of_runs(request, runs);
  tell_apart(runs);
  return html_page(title_of(runs), page_data(runs, unix_time_s()));
}

void write_report(const ReportRequest& request) {
  write_file_atomically(report_place(request), make_report(request));
}

void write_report(const fs::path& run_folder) {
  write_report(ReportRequest{.runs = {run_folder}, .output = {}, .samples = {}});
}

}  // namespace effuse
