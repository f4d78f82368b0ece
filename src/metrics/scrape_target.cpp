#include "metrics/scrape_target.hpp"

#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "core/files.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

namespace effuse::metrics {

ScrapeTarget::ScrapeTarget(std::filesystem::path file, const std::string& host, int port,
                           const Labels& labels) {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  const std::string target = is_ipv6 ? cat("[", host, "]:", port) : cat(host, ":", port);
  try {
    const nlohmann::ordered_json group{{"targets", {target}}, {"labels", labels}};
    if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
    write_file_atomically(file, nlohmann::ordered_json::array({group}).dump(2) + "\n");
    file_ = std::move(file);
  } catch (const std::exception& error) {
    log::local_warning("no scrape target for Prometheus: ", error.what(),
                       " (it will not find this exporter by itself)");
  }
}

ScrapeTarget::~ScrapeTarget() {
  if (file_.empty()) return;
  std::error_code problem;
  std::filesystem::remove(file_, problem);
  try {
    if (problem) {
      log::local_warning("cannot remove ", file_.string(), ": ", problem.message(),
                         " (Prometheus will report this exporter as down)");
    }
  } catch (...) {  // a warning that cannot be given is no reason to end the process
  }
}

}  // namespace effuse::metrics
