#include "checkpoint/run_state.hpp"

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

using Json = nlohmann::ordered_json;

/// 2 added what training keeps from step to step.
constexpr int kFormat = 2;

ControlState control_of(const Json& json) {
  ControlState control;
  json.at("loss_scale").get_to(control.loss_scale);
  json.at("clean_steps").get_to(control.clean_steps);
  json.at("updates").get_to(control.updates);
  json.at("norm_average").get_to(control.norm_average);
  json.at("norm_count").get_to(control.norm_count);
  json.at("lr_factor").get_to(control.lr_factor);
  json.at("restores").get_to(control.restores);
  return control;
}

Json to_json(const ControlState& control) {
  return {{"loss_scale", control.loss_scale}, {"clean_steps", control.clean_steps},
          {"updates", control.updates},       {"norm_average", control.norm_average},
          {"norm_count", control.norm_count}, {"lr_factor", control.lr_factor},
          {"restores", control.restores}};
}

RunState state_of(const Json& json) {
  RunState state;
  json.at("step").get_to(state.step);
  json.at("images_seen").get_to(state.images_seen);
  json.at("seed").get_to(state.seed);
  json.at("config").get_to(state.config_toml);
  json.at("dataset_fingerprint").get_to(state.dataset_fingerprint);
  json.at("class_names").get_to(state.class_names);
  json.at("world_size").get_to(state.world_size);
  if (json.contains("control")) {
    state.control = control_of(json.at("control"));
  } else {
    state.control.updates = state.step;
  }
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
                  {"control", to_json(state.control)},
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
    const int format = json.at("format").get<int>();
    if (format < 1 || format > kFormat) {
      throw CheckpointError(cat(where, " is of format ", json.at("format").dump(),
                                ", this release reads formats 1 to ", kFormat));
    }
    return state_of(json);
  } catch (const Json::exception& error) {
    throw CheckpointError(cat(where, " is malformed: ", error.what()));
  }
}

}  // namespace effuse
