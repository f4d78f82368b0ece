#include "app/goodput_file.hpp"

#include <exception>
#include <nlohmann/json.hpp>

#include "core/files.hpp"
#include "core/log.hpp"
#include "core/process_age.hpp"
#include "core/unix_time.hpp"

namespace effuse {
namespace {

using Json = nlohmann::ordered_json;

Goodput::State state_from(const Json& json) {
  Goodput::State state;
  state.began_unix_s = json.at("began_unix_s").get<double>();
  state.elapsed_s = json.at("elapsed_s").get<double>();
  state.apart_s = json.at("apart_s").get<double>();
  state.attempts = json.at("attempts").get<std::int64_t>();
  state.finished = json.at("finished").get<bool>();
  state.redone_steps = json.at("redone_steps").get<std::int64_t>();
  state.bad_steps = json.at("bad_steps").get<std::int64_t>();
  for (std::size_t i = 0; i < kLostReasons; ++i) {
    state.lost_s[i] = json.at("lost_s").value(kLostNames[i], 0.0);  // earlier releases knew fewer
  }
  for (const Json& stretch : json.at("kept")) {
    state.kept.push_back(
        {stretch.at("after").get<std::int64_t>(), stretch.at("up_to").get<std::int64_t>(),
         stretch.at("productive_s").get<double>(), stretch.value("attempt", std::int64_t{0})});
  }
  return state;
}

}  // namespace

Goodput read_goodput(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return {};
  try {
    return Goodput(state_from(Json::parse(read_file(file))));
  } catch (const std::exception& error) {
    log::warning(file.string(), " cannot be read: ", error.what(),
                 ". The account of the run's time begins anew.");
    return {};
  }
}

void write_goodput(const std::filesystem::path& file, const Goodput& goodput) {
  const Goodput::State& state = goodput.state();
  Json lost = Json::object();
  for (std::size_t i = 0; i < kLostReasons; ++i) lost[kLostNames[i]] = state.lost_s[i];
  Json kept = Json::array();
  for (const auto& [from, to, productive_s, attempt] : state.kept) {
    kept.push_back(
        {{"after", from}, {"up_to", to}, {"productive_s", productive_s}, {"attempt", attempt}});
  }
  const Json json{{"format", 1},
                  {"goodput", goodput.ratio()},
                  {"total_s", goodput.total_s()},
                  {"productive_s", goodput.productive_s()},
                  {"lost_s", lost},
                  {"attempts", state.attempts},
                  {"finished", state.finished},
                  {"redone_steps", state.redone_steps},
                  {"bad_steps", state.bad_steps},
                  {"began_unix_s", state.began_unix_s},
                  {"elapsed_s", state.elapsed_s},
                  {"apart_s", state.apart_s},
                  {"kept", kept}};
  write_file_atomically(file, json.dump(2) + "\n");
}

Goodput begin_goodput(const std::filesystem::path& file, std::int64_t steps_done) {
  Goodput goodput = read_goodput(file);
  const double now_s = unix_time_s();
  goodput.begin_attempt(now_s - process_age_s(), now_s, steps_done);
  try {
    write_goodput(file, goodput);
  } catch (const std::exception& error) {
    log::warning(error.what(), " (without it the run's account of time is incomplete)");
  }
  return goodput;
}

}  // namespace effuse
