#pragma once

#include <filesystem>
#include <vector>

namespace effuse {

/// Writes <run>/report.html, atomically: one file that shows the run as its folder tells of it now.
/// It may be called while the run goes on, by the job itself too; it reads the whole log each time
/// (some 0.03 s for 10,000 lines) and up to 60 previews, but no weights. Any thread, one at a time
/// for a run. Throws DataError where that is no run's folder or its log is damaged,
/// std::system_error where it cannot be written.
void write_report(const std::filesystem::path& run_folder);

struct ReportRequest {
  std::vector<std::filesystem::path> runs;     ///< at least one; several are compared
  std::filesystem::path output;                ///< empty: report_place()
  std::vector<std::filesystem::path> samples;  ///< more folders of images made with them
};

/// Where the report of a request goes: report.html in the one run's folder, comparison.html in the
/// working folder for several.
std::filesystem::path report_place(const ReportRequest& request);

/// The page as text. Throws DataError as above; for a folder of `samples` that holds no images, or
/// was made with the weights of none of the runs; and for a run that is given twice.
std::string make_report(const ReportRequest& request);

/// make_report() to report_place().
void write_report(const ReportRequest& request);

}  // namespace effuse
