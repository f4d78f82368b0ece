#include "checkpoint/run_state.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "support/error_message.hpp"

namespace effuse {
namespace {

RunState state() {
  return {12,
          1536,
          std::numeric_limits<std::uint64_t>::max(),
          "[run]\nname = \"a\"\n",
          "f00d",
          {"cat", "dog"},
          4,
          {.loss_scale = 512,
           .clean_steps = 3,
           .updates = 11,
           .norm_average = 0.1,
           .norm_count = 10,
           .lr_factor = 0.25,
           .restores = 2}};
}

TEST(RunState, ReadsBackEqual) {
  EXPECT_EQ(run_state_from_json(to_json(state()), "state.json"), state());
}

TEST(RunState, OfALaterFormatIsRefused) {
  std::string text = to_json(state());
  text.replace(text.find("\"format\": 2"), 11, "\"format\": 3");
  EXPECT_EQ(message_of<CheckpointError>([&] { run_state_from_json(text, "a/state.json"); }),
            "a/state.json is of format 3, this release reads formats 1 to 2");
}

TEST(RunState, OfFormat1HasMadeAnUpdateInEveryStep) {
  nlohmann::json json = nlohmann::json::parse(to_json(state()));
  json["format"] = 1;
  json.erase("control");
  RunState expected = state();
  expected.control = {.updates = expected.step};
  EXPECT_EQ(run_state_from_json(json.dump(), "state.json"), expected);
}

TEST(RunState, ThatIsMalformedIsNamed) {
  for (const char* text : {"", "{", "[]", "{\"format\": 1}", "{\"format\": \"1\"}"}) {
    EXPECT_TRUE(message_of<CheckpointError>([&] {
                  run_state_from_json(text, "a/state.json");
                }).starts_with("a/state.json is malformed: "))
        << text;
  }
}

TEST(RunState, ThatIsNoTextIsRefused) {
  RunState broken = state();
  broken.config_toml = "\xff";
  EXPECT_THROW(to_json(broken), CheckpointError);
}

}  // namespace
}  // namespace effuse
