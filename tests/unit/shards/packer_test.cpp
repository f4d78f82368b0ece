#include "shards/packer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "core/error.hpp"
#include "shards/image_folder.hpp"
#include "shards/output_folder.hpp"
#include "shards/quarantine.hpp"
#include "shards/sharded_dataset.hpp"
#include "unit/shards/packing.hpp"

namespace effuse {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(Packing, sorts_by_bytes_and_cuts_by_size) {
  const PackOutcome outcome = run();
  EXPECT_EQ(outcome.result, PackResult::packed);
  EXPECT_THAT(names_in(config_.output),
              ElementsAre("dataset.json", "shard-00000.h5", "shard-00001.h5", "shard-00002.h5",
                          "shard-00003.h5", "shard-00004.h5"));
  const ShardedDataset dataset = ShardedDataset::open(config_.output);
  ASSERT_EQ(dataset.size(), 24);
  EXPECT_EQ(dataset.path(0), "cat/0.png");
  EXPECT_EQ(dataset.path(1), "cat/10.png");
  EXPECT_EQ(dataset.path(12), "dog/1.png");
  EXPECT_EQ(dataset.label(11), 0);
  EXPECT_EQ(dataset.label(12), 1);
}

TEST_F(Packing, cuts_shards_by_the_places_of_images_whichever_can_be_read) {
  config_.max_bad_share = 1;
  for (const int place : {1, 4, 10, 11, 12, 13, 14, 20, 23}) spoil(place);
  const Manifest manifest = run().manifest;
  EXPECT_THAT(names_in(config_.output),
              ElementsAre("dataset.json", "quarantine.csv", "shard-00000.h5", "shard-00001.h5",
                          "shard-00003.h5", "shard-00004.h5"));
  ASSERT_EQ(manifest.shards.size(), 4U);
  std::vector<std::int64_t> images;
  std::vector<std::int64_t> ends;
  for (const ShardEntry& shard : manifest.shards) {
    images.push_back(shard.images);
    ends.push_back(shard.end_source);
  }
  EXPECT_THAT(images, ElementsAre(3, 5, 5, 2));
  EXPECT_THAT(ends, ElementsAre(5, 10, 20, 24));
  const ShardedDataset dataset = ShardedDataset::open(config_.output);
  EXPECT_EQ(dataset.path(3), "cat/18.png");  // place 5
  EXPECT_EQ(run().result, PackResult::already_complete);
}

TEST_F(Packing, leaves_nothing_where_the_last_range_has_no_readable_image) {
  config_.max_bad_share = 1;
  for (const int place : {20, 21, 22, 23}) spoil(place);
  const Manifest manifest = run().manifest;
  EXPECT_TRUE(manifest.complete);
  EXPECT_EQ(manifest.shards.back().file, "shard-00003.h5");
  EXPECT_EQ(manifest.shards.back().end_source, 20);
  EXPECT_EQ(manifest.unreadable.size(), 4U);
}

TEST_F(Packing, continues_a_data_set_whose_shards_were_filled_up) {
  Manifest older = run().manifest;
  older.complete = false;
  older.shards.resize(1);
  older.shards[0].end_source = 7;  // as if two of the first seven were unreadable
  older.unreadable = {{1, "cat/10.png", "spoilt"}, {2, "cat/12.png", "spoilt"}};
  save_manifest(older, config_.output);
  config_.max_bad_share = 0.1;
  const Manifest manifest = run().manifest;
  std::vector<std::string> files;
  std::vector<std::int64_t> images;
  for (const ShardEntry& shard : manifest.shards) {
    files.push_back(shard.file);
    images.push_back(shard.images);
  }
  EXPECT_THAT(files, ElementsAre("shard-00000.h5", "shard-00001.h5", "shard-00002.h5",
                                 "shard-00003.h5", "shard-00004.h5"));
  EXPECT_THAT(images, ElementsAre(5, 3, 5, 5, 4));
}

TEST_F(Packing, again_is_already_complete) {
  run();
  EXPECT_EQ(run().result, PackResult::already_complete);
}

TEST_F(Packing, continues_after_the_last_whole_shard_to_the_same_bytes) {
  spoil("cat/14.png");
  spoil("dog/21.png");
  config_.max_bad_share = 0.1;
  Manifest whole = run().manifest;
  const std::string text = read_file(folder_ / "out/dataset.json");
  const std::string third = read_file(folder_ / "out/shard-00002.h5");
  for (std::size_t kept = 1; kept < whole.shards.size(); ++kept) {
    Manifest cut = whole;
    cut.complete = false;
    cut.shards.resize(kept);
    save_manifest(cut, config_.output);
    std::filesystem::remove(quarantine_path(config_.output));
    std::ofstream(folder_ / "out/.shard-00001.h5.tmp-1") << "left by a process that was killed";
    const PackOutcome outcome = run();
    EXPECT_EQ(outcome.images_before, cut.image_count());
    EXPECT_EQ(read_file(folder_ / "out/dataset.json"), text) << kept;
    EXPECT_EQ(read_file(folder_ / "out/shard-00002.h5"), third) << kept;
    EXPECT_EQ(read_file(quarantine_path(config_.output)),
              "path,reason\n"
              "cat/14.png,\"neither a PNG, a JPEG nor a WebP file, whatever its name says\"\n"
              "dog/21.png,\"neither a PNG, a JPEG nor a WebP file, whatever its name says\"\n");
    EXPECT_FALSE(std::filesystem::exists(folder_ / "out/.shard-00001.h5.tmp-1"));
  }
}

TEST_F(Packing, repairs_a_truncated_shard) {
  run();
  const std::string second = read_file(folder_ / "out/shard-00001.h5");
  std::filesystem::resize_file(folder_ / "out/shard-00001.h5", 1000);
  EXPECT_EQ(run().images_before, 5);
  EXPECT_EQ(read_file(folder_ / "out/shard-00001.h5"), second);
}

TEST_F(Packing, refuses_other_settings_and_other_images_unless_fresh) {
  run();
  config_.image_size = 128;
  EXPECT_THAT(message_of<ConfigError>([&] { run(); }),
              AllOf(HasSubstr("pack.image_size is 256 there and 128 here"), HasSubstr("--fresh")));
  config_.image_size = 256;
  write_image(folder_ / "in/dog/new.png", 256, 1);
  EXPECT_THAT(message_of<DataError>([&] { run(); }),
              AllOf(HasSubstr("24 files then, 25"), HasSubstr("--fresh")));
  std::ofstream(folder_ / "out/notes.txt") << "mine";
  EXPECT_EQ(run(Existing::discard).manifest.image_count(), 25);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "out/notes.txt"));
}

TEST_F(Packing, may_continue_with_another_limit_of_bad_images) {
  spoil("dog/9.png");
  config_.max_bad_share = 0;
  EXPECT_THAT(message_of<DataError>([&] { run(); }),
              AllOf(HasSubstr("1 of 24 images cannot be read"), HasSubstr("dog/9.png"),
                    HasSubstr("--max-bad-share")));
  EXPECT_TRUE(std::filesystem::exists(quarantine_path(config_.output)));
  config_.max_bad_share = 0.05;
  const PackOutcome outcome = run();
  EXPECT_EQ(outcome.manifest.image_count(), 23);
  EXPECT_EQ(outcome.images_before, 20) << "four whole shards were there";
}

TEST_F(Packing, all_unreadable) {
  for (const SourceImage& image : scan_image_folder(config_.input).images) spoil(image.path);
  config_.max_bad_share = 1;
  EXPECT_THAT(message_of<DataError>([&] { run(); }), HasSubstr("none of the 24 images"));
  EXPECT_THAT(names_in(config_.output), ElementsAre("quarantine.csv"));
}

TEST_F(Packing, refuses_senseless_settings) {
  const auto complaint = [&] { return message_of<ConfigError>([&] { run(); }); };
  config_.channels = 2;
  EXPECT_THAT(complaint(), HasSubstr("neither 1 (grey) nor 3 (RGB)"));
  config_.channels = 3;
  config_.output = config_.input + "/packed";
  EXPECT_THAT(complaint(), HasSubstr("lies inside pack.input"));
  config_.output = "";
  EXPECT_THAT(complaint(), HasSubstr("pack.output is not set"));
  config_.input = "";
  EXPECT_THAT(complaint(), HasSubstr("pack.input is not set"));
}

TEST_F(Packing, refuses_a_folder_that_another_process_packs_into) {
  std::filesystem::create_directories(config_.output);
  const auto other = lock_output(config_.output);
  EXPECT_THAT(message_of<ConfigError>([&] { run(); }), HasSubstr("is in use by"));
}

TEST(ImageFolder, ignores_what_is_no_image_and_says_so) {
  const TemporaryFolder folder;
  write_image(folder / "b/deep/er/1.PNG", 2, 0);
  write_image(folder / "b/2.jpeg", 2, 0);
  write_image(folder / "B/3.Jpg", 2, 0);
  write_image(folder / "beside.png", 2, 0);
  write_image(folder / "b/.hidden.png", 2, 0);
  write_image(folder / ".cache/4.png", 2, 0);
  std::ofstream(folder / "b/notes.txt") << "x";
  std::filesystem::create_directories(folder / "empty");
  const ImageFolder found = scan_image_folder(folder.path());
  EXPECT_TRUE(found.labelled);
  EXPECT_THAT(found.classes, ElementsAre("B", "b"));
  std::vector<std::string> paths;
  for (const SourceImage& image : found.images) paths.push_back(image.path);
  EXPECT_THAT(paths, ElementsAre("B/3.Jpg", "b/2.jpeg", "b/deep/er/1.PNG"));
  EXPECT_EQ(found.images[2].label, 1);
  EXPECT_EQ(found.ignored_files, 2);
  EXPECT_EQ(found.unlabelled_images, 1);
  EXPECT_THAT(found.empty_folders, ElementsAre("empty"));
}

TEST(ImageFolder, a_flat_folder_is_one_class) {
  const TemporaryFolder folder;
  write_image(folder / "2.png", 2, 0);
  write_image(folder / "10.png", 2, 0);
  const ImageFolder found = scan_image_folder(folder.path());
  EXPECT_FALSE(found.labelled);
  EXPECT_THAT(found.classes, ElementsAre("unlabelled"));
  EXPECT_EQ(found.images[0].path, "10.png");
}

TEST(ImageFolder, missing_empty_and_circular_folders) {
  const TemporaryFolder folder;
  EXPECT_THAT(message_of<DataError>([&] { scan_image_folder(folder / "none"); }),
              HasSubstr("does not exist"));
  std::ofstream(folder / "a.gif") << "x";
  EXPECT_THAT(message_of<DataError>([&] { scan_image_folder(folder.path()); }),
              AllOf(HasSubstr("holds no image"), HasSubstr("1 other files")));
  std::filesystem::create_directories(folder / "class");
  std::filesystem::create_directory_symlink("..", folder / "class/up");
  EXPECT_THAT(message_of<DataError>([&] { scan_image_folder(folder.path()); }),
              testing::AnyOf(HasSubstr("nested more than"), HasSubstr("symbolic links")));
}

TEST(ImageFolder, fingerprint_follows_names_and_sizes) {
  const TemporaryFolder folder;
  write_image(folder / "a.png", 2, 0);
  const std::string before = scan_image_folder(folder.path()).fingerprint();
  EXPECT_EQ(scan_image_folder(folder.path()).fingerprint(), before);
  std::filesystem::rename(folder / "a.png", folder / "b.png");
  EXPECT_NE(scan_image_folder(folder.path()).fingerprint(), before);
}

TEST(Quarantine, quotes_and_sorts) {
  const TemporaryFolder folder;
  write_quarantine({{0, "b,\"c\".png", "x"}, {1, "a.png", "two\nlines"}}, folder.path());
  EXPECT_EQ(read_file(folder / "quarantine.csv"),
            "path,reason\na.png,\"two\nlines\"\n\"b,\"\"c\"\".png\",x\n");
  write_quarantine({}, folder.path());
  EXPECT_FALSE(std::filesystem::exists(folder / "quarantine.csv"));
}

}  // namespace
}  // namespace effuse
