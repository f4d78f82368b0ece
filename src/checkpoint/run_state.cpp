#include "checkpoint/run_state.hpp"

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

RunState state_of(const Json& json) {
  RunState state;
  json.at("step").get_to(state.step);
  json.at("images_seen").get_to(state.images_seen);
  json.at("seed").get_to(state.seed);
  json.at("config").get_to(state.config_toml);
  json.at("dataset_fingerprint").get_to(state.dataset_fingerprint);
  json.at("class_names").get_to(state.class_names);
  json.at("world_size").get_to(state.world_size);
  return state;
}

}  // namespace

std::string to_json(const RunState& state) {
  const Json json{{"format", kFormat},
                  {"step", state.step},
                  {"images_seen", state.images_seen},
                  {"seed", state.seed},
                  {"world_size", state.world_size},
                  {"dataset_fingerprint", state.dataset_fingerprint},
                  {"class_names", state.class_names},
                  {"config", state.config_toml}};
  try {
    return json.dump(2) + "\n";
  } catch (const Json::exception& error) {  // a configuration that is not UTF-8
    throw CheckpointError(cat("cannot write state.json: ", error.what()));
  }
}

RunState run_state_from_json(const std::string& text, const std::string& where) {
  try {
    const Json json = Json::parse(text);
    if (json.at("format").get<int>() != kFormat) {
      throw CheckpointError(cat(where, " is of format ", json.at("format").dump(),
                                ", this release reads format ", kFormat));
    }
    return state_of(json);
  } catch (const Json::exception& error) {
    throw CheckpointError(cat(where, " is malformed: ", error.what()));
  }
}

}  // namespace effuse
