#include "evaluation/kept_features.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/files.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

constexpr FeatureShape kShape{.images = 3, .dimensions = 5, .logits = FeatureShape::Logits::some};

Features some_features() { return {at::rand({3, 5}), at::rand({3, 2})}; }

class KeptFeaturesTest : public ::testing::Test {
 protected:
  KeptFeaturesTest() { begin_kept_features(folder_.path(), "{}\n"); }

  KeptFeatures kept(const std::string& record = "{}\n") const { return {folder_.path(), record}; }

  Features keep_some() const {
    Features features = some_features();
    KeptFeatures writer = kept();
    writer.keep(7, features);
    writer.finish();
    return features;
  }

  TemporaryFolder folder_;
};

TEST_F(KeptFeaturesTest, AreFoundAsTheyWere) {
  const Features features = keep_some();
  auto found = kept().find(7, kShape);
  ASSERT_TRUE(found);
  EXPECT_TRUE(at::equal(found->pooled, features.pooled));
  EXPECT_TRUE(at::equal(found->logits, features.logits));
  found = kept().find(7, {.images = 3, .dimensions = 5});
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->logits.defined());
  EXPECT_FALSE(kept().has(6, kShape));
}

TEST_F(KeptFeaturesTest, OfAnotherRecordOrShapeAreNotThere) {
  keep_some();
  EXPECT_FALSE(kept("{\"tile\": 4}\n").has(7, kShape));
  EXPECT_FALSE(kept().has(7, {.images = 2, .dimensions = 5}));
  EXPECT_FALSE(kept().has(7, {.images = 3, .dimensions = 4}));
}

TEST_F(KeptFeaturesTest, WithoutTheLogitsThatAreAskedForAreNotThere) {
  KeptFeatures writer = kept();
  writer.keep(7, {at::rand({3, 5}), {}});
  writer.finish();
  EXPECT_FALSE(kept().has(7, kShape));
  EXPECT_TRUE(kept().has(7, {.images = 3, .dimensions = 5}));
}

TEST_F(KeptFeaturesTest, AnyDamageIsSeen) {
  keep_some();
  const auto file = folder_ / "00000007.npz";
  const std::string whole = read_file(file);
  for (std::size_t length = 0; length < whole.size(); length += 37) {
    write_file_atomically(file, whole.substr(0, length));
    EXPECT_FALSE(kept().has(7, kShape)) << length;
  }
}

TEST_F(KeptFeaturesTest, BeginningAgainKeepsThemUnlessTheRecordIsAnother) {
  keep_some();
  begin_kept_features(folder_.path(), "{}\n");
  EXPECT_TRUE(kept().has(7, kShape));
  begin_kept_features(folder_.path(), "{\"tile\": 4}\n");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "00000007.npz"));
  EXPECT_EQ(read_file(folder_ / "features.json"), "{\"tile\": 4}\n");
}

TEST_F(KeptFeaturesTest, OtherFilesAreNotTouched) {
  std::filesystem::create_directories(folder_ / "other");
  write_file_atomically(folder_ / "other/mine", "mine");
  const auto message =
      message_of<ConfigError>([&] { begin_kept_features(folder_ / "other", "{}\n"); });
  EXPECT_NE(message.find("holds other files"), std::string::npos) << message;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "other/mine"));
}

TEST_F(KeptFeaturesTest, WhatAKilledWriterLeftIsRemoved) {
  for (const char* name : {".00000007.npz.tmp-815", ".features.json.tmp-815"}) {
    write_file_atomically(folder_ / name, "half");
    begin_kept_features(folder_.path(), "{}\n");
    EXPECT_FALSE(std::filesystem::exists(folder_ / name));
    std::filesystem::remove(folder_ / "features.json");
  }
}

TEST_F(KeptFeaturesTest, ADiskThatTakesNoMoreMattersNoFurther) {
  KeptFeatures writer(folder_ / "gone", "{}\n");
  writer.keep(0, some_features());
  writer.keep(1, some_features());
  writer.finish();
  EXPECT_FALSE(writer.has(0, kShape));
}

}  // namespace
}  // namespace effuse
