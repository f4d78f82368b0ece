#include "checkpoint/run_state.hpp"

#include <gtest/gtest.h>

#include <limits>

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
          4};
}

TEST(RunState, ReadsBackEqual) {
  EXPECT_EQ(run_state_from_json(to_json(state()), "state.json"), state());
}

TEST(RunState, OfALaterFormatIsRefused) {
  std::string text = to_json(state());
  text.replace(text.find("\"format\": 1"), 11, "\"format\": 2");
  EXPECT_EQ(message_of<CheckpointError>([&] { run_state_from_json(text, "a/state.json"); }),
            "a/state.json is of format 2, this release reads format 1");
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
