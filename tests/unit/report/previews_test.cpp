#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/files.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "core/zero_padded.hpp"
#include "image/png.hpp"
#include "report/picture.hpp"
#include "report/run_previews.hpp"
#include "report/step_in_name.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

using Numbers = std::vector<std::size_t>;

/// A PNG that does not compress.
std::string noise(int height, int width) {
  Image image(height, width, 1);
  std::uint32_t state = 1;
  for (std::uint8_t& pixel : image.pixels) {
    state = state * 1664525U + 1013904223U;
    pixel = static_cast<std::uint8_t>(state >> 24);
  }
  return encode_png(image);
}

void write_previews(const TemporaryFolder& folder, int count, const std::string& png) {
  for (int i = 0; i < count; ++i) {
    write_file_atomically(folder / cat("step-", zero_padded(100 * i, 8), ".png"), png);
  }
}

TEST(StepInName, IsThatOfWholeNames) {
  EXPECT_EQ(step_in_name("step-00012000"), 12000);
  EXPECT_EQ(step_in_name("step-00000000.png", ".png"), 0);
  EXPECT_EQ(step_in_name("step-123456789012.png", ".png"), 123456789012);
  for (const char* name :
       {"step-", "step-1a", "step--1", ".step-00000001", "step-00000001.abandoned", "latest", ""}) {
    EXPECT_EQ(step_in_name(name), std::nullopt) << name;
  }
  EXPECT_EQ(step_in_name("step-1", ".png"), std::nullopt);
  EXPECT_EQ(step_in_name("step-.png", ".png"), std::nullopt);
}

TEST(EvenlyChosen, HasBothEndsAndEqualDistances) {
  EXPECT_EQ(evenly_chosen(5, 5), (Numbers{0, 1, 2, 3, 4}));
  EXPECT_EQ(evenly_chosen(3, 60), (Numbers{0, 1, 2}));
  EXPECT_EQ(evenly_chosen(11, 3), (Numbers{0, 5, 10}));
  EXPECT_EQ(evenly_chosen(7, 1), (Numbers{6}));
  EXPECT_EQ(evenly_chosen(0, 5), Numbers{});
  for (std::size_t count = 2; count < 200; count += 7) {
    const Numbers chosen = evenly_chosen(count, 60);
    EXPECT_EQ(chosen.size(), std::min<std::size_t>(count, 60));
    EXPECT_EQ(chosen.front(), 0U);
    EXPECT_EQ(chosen.back(), count - 1);
    const std::size_t least = (count - 1) / (chosen.size() - 1);
    for (std::size_t i = 1; i < chosen.size(); ++i) {
      EXPECT_GE(chosen[i] - chosen[i - 1], least);
      EXPECT_LE(chosen[i] - chosen[i - 1], least + 1);
    }
  }
}

TEST(Previews, AreTheirFilesByStep) {
  const TemporaryFolder folder;
  const std::string png = noise(8, 24);
  write_previews(folder, 3, png);
  write_file_atomically(folder / "notes.txt", "not a preview");
  Problems problems;
  const RunPreviews previews = read_run_previews(folder.path(), {}, problems);
  EXPECT_EQ(previews.found, 3);
  ASSERT_EQ(previews.shown.size(), 3U);
  EXPECT_EQ(previews.shown[1].step, 100);
  EXPECT_EQ(previews.shown[1].picture.data_uri, cat("data:image/png;base64,", base64(png)));
  EXPECT_EQ(previews.shown[1].picture.width, 24);
  EXPECT_EQ(previews.shown[1].picture.height, 8);
  EXPECT_FALSE(previews.shown[1].picture.is_shrunk);
  EXPECT_TRUE(problems.empty());
}

TEST(Previews, OfNoFolderAreNone) {
  Problems problems;
  EXPECT_EQ(read_run_previews("/nonexistent", {}, problems).found, 0);
  EXPECT_TRUE(problems.empty());
}

TEST(Previews, AreLeftOutWhereTheyDoNotFit) {
  const TemporaryFolder folder;
  const std::string png = noise(40, 40);
  write_previews(folder, 40, png);
  Problems problems;
  const RunPreviews few =
      read_run_previews(folder.path(), {.pictures = 15, .total_bytes = 1 << 20}, problems);
  EXPECT_EQ(few.found, 40);
  EXPECT_EQ(few.shown.size(), 15U);
  const RunPreviews tight = read_run_previews(
      folder.path(), {.pictures = 60, .total_bytes = 20 * png.size() + 1}, problems);
  ASSERT_EQ(tight.shown.size(), 20U);
  EXPECT_EQ(tight.shown.front().step, 0);
  EXPECT_EQ(tight.shown.back().step, 3900);
  EXPECT_FALSE(tight.shown.back().picture.is_shrunk);
}

TEST(Previews, AreShrunkWhereNotEvenAFewWouldFit) {
  const TemporaryFolder folder;
  const std::string png = noise(300, 1500);
  write_previews(folder, 14, png);
  Problems problems;
  const PreviewBudget budget{.pictures = 60, .total_bytes = 5 * png.size()};
  const RunPreviews previews = read_run_previews(folder.path(), budget, problems);
  ASSERT_EQ(previews.shown.size(), 12U);
  for (const RunPreview& preview : previews.shown) {
    EXPECT_TRUE(preview.picture.is_shrunk);
    EXPECT_TRUE(preview.picture.data_uri.starts_with("data:image/webp;base64,"));
    EXPECT_EQ(preview.picture.width, 1500);
    EXPECT_LT(preview.picture.data_uri.size(), png.size());
  }
}

TEST(Previews, ThatCannotBeReadAreNamed) {
  const TemporaryFolder folder;
  const std::string png = noise(8, 8);
  write_previews(folder, 2, png);
  write_file_atomically(folder / "step-00000150.png", png.substr(0, 60));
  Problems problems;
  EXPECT_EQ(read_run_previews(folder.path(), {}, problems).shown.size(), 2U);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_TRUE(problems[0].starts_with("The preview of step 150 is left out: ")) << problems[0];
  write_file_atomically(folder / "step-00000180.png", "");
  problems.clear();
  const RunPreviews previews = read_run_previews(folder.path(), {}, problems);
  EXPECT_EQ(previews.found, 4);
  EXPECT_EQ(previews.unreadable, (std::vector<std::int64_t>{150, 180}));
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_TRUE(problems[0].starts_with(
      "2 previews cannot be read and are left out. The first is that of step 150: "))
      << problems[0];
}

TEST(Base64, IsThatOfRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

}  // namespace
}  // namespace effuse
