#include "app/environment.hpp"

#include <torch/version.h>

#include <ctime>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/device.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/version.hpp"

namespace effuse {
namespace {

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::ostringstream out;
  out << std::put_time(&utc, "%Y-%m-%dT%H:%M:%SZ");
  return out.str();
}

}  // namespace

std::string describe_environment(Communicator& comm, const Session& session, at::Device device,
                                 int threads) {
  nlohmann::ordered_json ranks = nlohmann::ordered_json::array();
  for (const std::string& text :
       comm.all_gather_text(cat(session.host(), "\n", device.str(), "\n", device_name(device)))) {
    std::istringstream lines(text);
    std::string host, place, name;
    std::getline(lines, host);
    std::getline(lines, place);
    std::getline(lines, name);
    ranks.push_back({{"host", host}, {"device", place}, {"name", name}});
  }
  const nlohmann::ordered_json json = {
      {"effuse", version()},         {"revision", revision()},    {"libtorch", TORCH_VERSION},
      {"compiler", __VERSION__},     {"backend", comm.backend()}, {"world_size", comm.world_size()},
      {"threads_per_rank", threads}, {"began", utc_now()},        {"ranks", ranks}};
  return json.dump(2) + "\n";
}

void describe_build(metrics::Registry& registry) {
  registry
      .gauge(metrics::series("effuse_build_info"), {{"version", std::string(version())},
                                                    {"revision", std::string(revision())},
                                                    {"libtorch", TORCH_VERSION},
                                                    {"compiler", __VERSION__}})
      .set(1);
}

void warn_of_other_build(const std::filesystem::path& before) {
  if (!std::filesystem::exists(before)) return;
  const auto json = nlohmann::json::parse(read_file(before), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return;
  const auto differs = [&](const char* key, std::string_view now) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() && found->get<std::string>() != now;
  };
  if (!differs("revision", revision()) && !differs("libtorch", TORCH_VERSION)) return;
  log::warning("the attempt before was of another build (", json.value("revision", ""),
               ", libtorch ", json.value("libtorch", ""), "; this one is ", revision(),
               ", libtorch ", TORCH_VERSION, "): from here on results may differ in the last bits");
}

}  // namespace effuse
