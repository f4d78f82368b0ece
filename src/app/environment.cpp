#include "app/environment.hpp"

#include <torch/version.h>

#include <ctime>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/device.hpp"
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

}  // namespace effuse
