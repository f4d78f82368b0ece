#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "checkpoint/checkpoint_folder.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/text.hpp"
#include "example.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

void overwrite(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

/// Two checkpoints, of steps 10 and 20, and ways to damage the newer.
class Damage : public testing::TestWithParam<std::string> {
 protected:
  Damage() {
    CheckpointFolder checkpoints(folder_.path());
    checkpoints.save(example_checkpoint(10));
    checkpoints.save(example_checkpoint(20));
  }

  fs::path newer() const { return folder_ / "step-00000020"; }

  /// The older one is used, and what is said of the newer is returned.
  std::string message_when_passed_over() const {
    const auto found = CheckpointFolder(folder_.path()).load_newest_valid();
    if (!found || found->damaged.size() != 1) return "not passed over";
    EXPECT_EQ(found->step, 10);
    EXPECT_TRUE(equal(found->contents, example_checkpoint(10)));
    return found->damaged.front();
  }

  void expect_passed_over_naming(const std::string& file) const {
    const std::string message = message_when_passed_over();
    EXPECT_TRUE(message.starts_with(cat(newer().string(), " is damaged: "))) << message;
    EXPECT_NE(message.find(file), std::string::npos) << message;
  }

  TemporaryFolder folder_;
};

/// Every byte of every file: no damage may go unseen.
TEST_P(Damage, AFlippedBitAnywhereIsSeen) {
  const fs::path file = newer() / GetParam();
  const std::string whole = read_file(file);
  for (std::size_t place = 0; place < whole.size(); ++place) {
    std::string damaged = whole;
    damaged[place] = static_cast<char>(damaged[place] ^ (1 << (place % 8)));
    overwrite(file, damaged);
    const CheckpointFolder checkpoints(folder_.path());
    EXPECT_THROW(checkpoints.load(20), CheckpointError) << "bit of byte " << place;
  }
  std::string damaged = whole;
  damaged[whole.size() / 2] = static_cast<char>(damaged[whole.size() / 2] ^ 0x10);
  overwrite(file, damaged);
  if (GetParam() != "manifest.json") expect_passed_over_naming(GetParam());
}

TEST_P(Damage, ATruncatedFileIsNamed) {
  fs::resize_file(newer() / GetParam(), fs::file_size(newer() / GetParam()) - 1);
  expect_passed_over_naming(GetParam());
  fs::resize_file(newer() / GetParam(), 0);
  expect_passed_over_naming(GetParam());
}

TEST_P(Damage, AMissingFileIsNamed) {
  fs::remove(newer() / GetParam());
  expect_passed_over_naming(GetParam());
}

TEST_P(Damage, AFileOfAnotherCheckpointIsNamed) {
  fs::copy_file(folder_ / "step-00000010" / GetParam(), newer() / GetParam(),
                fs::copy_options::overwrite_existing);
  if (GetParam() == "manifest.json") {  // then it is the other files that do not fit
    EXPECT_NE(message_when_passed_over().find("step 10"), std::string::npos);
  } else {
    expect_passed_over_naming(GetParam());
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Damage, testing::ValuesIn(kCheckpointFiles), [](const auto& test) {
  return test.param.substr(0, test.param.find('.'));
});

class DamagedManifest : public Damage {};

TEST_F(DamagedManifest, ThatLacksAFileIsRefused) {
  std::string text = read_file(newer() / "manifest.json");
  const std::size_t name = text.find("\"ema.safetensors\"");
  text.replace(name, 17, "\"was.safetensors\"");
  overwrite(newer() / "manifest.json", text);
  expect_passed_over_naming("its manifest lacks ema.safetensors");
}

TEST_F(DamagedManifest, OfALaterFormatIsRefused) {
  std::string text = read_file(newer() / "manifest.json");
  text.replace(text.find("\"format\":1"), 10, "\"format\":9");
  overwrite(newer() / "manifest.json", text);
  expect_passed_over_naming("its manifest is of format 9, this release reads format 1");
}

TEST_F(DamagedManifest, AnEmptyStepFolderIsPassedOver) {
  fs::remove_all(newer());
  fs::create_directory(newer());
  expect_passed_over_naming("manifest.json: No such file or directory");
}

TEST_F(DamagedManifest, ARenamedCheckpointIsPassedOver) {
  fs::rename(newer(), folder_ / "step-00000030");
  EXPECT_NE(message_when_passed_over().find("its manifest is of step 20"), std::string::npos);
}

TEST_F(DamagedManifest, WhereNoneIsValidAllAreNamedAndNothingStartsOver) {
  fs::remove(folder_ / "step-00000010/state.json");
  fs::resize_file(newer() / "model.safetensors", 3);
  const std::string message =
      message_of<CheckpointError>([&] { CheckpointFolder(folder_.path()).load_newest_valid(); });
  EXPECT_TRUE(message.starts_with("none of the checkpoints in ")) << message;
  EXPECT_NE(message.find("--fresh"), std::string::npos);
  const std::size_t newer_place = message.find("step-00000020 is damaged: model.safetensors has 3");
  const std::size_t older_place = message.find("step-00000010 is damaged: ");
  ASSERT_NE(newer_place, std::string::npos) << message;
  ASSERT_NE(older_place, std::string::npos) << message;
  EXPECT_LT(newer_place, older_place);
}

TEST_F(DamagedManifest, ADanglingLatestDoesNotMatter) {
  fs::remove(folder_ / "latest");
  fs::create_symlink("step-99999999", folder_ / "latest");
  EXPECT_EQ(CheckpointFolder(folder_.path()).load_newest_valid()->step, 20);
}

}  // namespace
}  // namespace effuse
