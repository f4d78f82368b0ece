#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <type_traits>

#include "core/error.hpp"
#include "shards/contact_sheet.hpp"
#include "shards/description.hpp"
#include "shards/sharded_dataset.hpp"
#include "shards/statistics.hpp"
#include "shards/verify.hpp"
#include "support/temporary_folder.hpp"
#include "unit/shards/example.hpp"

namespace effuse {
namespace {

using testing::AllOf;
using testing::HasSubstr;

static_assert(std::is_move_constructible_v<ShardedDataset>);

std::vector<std::uint8_t> read(const ShardedDataset& dataset, std::int64_t index) {
  std::vector<std::uint8_t> pixels(dataset.image_bytes());
  dataset.read_verified(index, std::as_writable_bytes(std::span(pixels)));
  return pixels;
}

std::string open_error(const std::filesystem::path& folder) {
  return message_of<DataError>([&] { ShardedDataset::open(folder); });
}

TEST(ShardedDataset, reads_what_was_written_across_shards) {
  const TemporaryFolder folder;
  write_example_dataset(folder.path(), 13);
  const ShardedDataset dataset = ShardedDataset::open(folder.path());
  ASSERT_EQ(dataset.size(), 13);
  EXPECT_EQ(dataset.height(), 4);
  EXPECT_EQ(dataset.width(), 4);
  EXPECT_EQ(dataset.channels(), 3);
  EXPECT_EQ(dataset.class_count(), 2);
  EXPECT_EQ(dataset.class_names()[1], "dog");
  for (std::int64_t i = 0; i < 13; ++i) {
    EXPECT_EQ(read(dataset, i), example_pixels(i)) << i;
    EXPECT_EQ(dataset.label(i), i % 2);
    EXPECT_EQ(dataset.path(i), "cat/" + std::to_string(i) + ".png");
    EXPECT_EQ(dataset.location(i).shard, static_cast<std::size_t>(i / 5));
    EXPECT_EQ(dataset.location(i).row, i % 5);
  }
  EXPECT_THROW(dataset.location(13), DataError);
  EXPECT_THROW(dataset.location(-1), DataError);
}

TEST(ShardedDataset, stored_checksum_is_that_of_the_pixels) {
  const TemporaryFolder folder;
  write_example_dataset(folder.path(), 2);
  const std::vector<std::uint8_t> pixels = example_pixels(1);
  EXPECT_EQ(ShardedDataset::open(folder.path()).stored_crc(1),
            crc32c(std::as_bytes(std::span(pixels))));
}

TEST(ShardedDataset, is_read_by_many_threads) {
  const TemporaryFolder folder;
  write_example_dataset(folder.path(), 50);
  const ShardedDataset dataset = ShardedDataset::open(folder.path());
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (std::int64_t i = 0; i < 50; ++i) {
        wrong[t] += read(dataset, i) != example_pixels(i);
        wrong[t] += dataset.path(i) != "cat/" + std::to_string(i) + ".png";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

TEST(ShardedDataset, fingerprint_follows_the_data) {
  const TemporaryFolder a;
  const TemporaryFolder b;
  const TemporaryFolder c;
  write_example_dataset(a.path(), 7);
  write_example_dataset(b.path(), 7);
  write_example_dataset(c.path(), 8);
  const std::string fingerprint = ShardedDataset::open(a.path()).fingerprint();
  EXPECT_EQ(fingerprint.size(), 64u);
  EXPECT_EQ(ShardedDataset::open(b.path()).fingerprint(), fingerprint);
  EXPECT_NE(ShardedDataset::open(c.path()).fingerprint(), fingerprint);
}

TEST(ShardedDataset, missing_and_empty_folders) {
  const TemporaryFolder folder;
  EXPECT_THAT(open_error(folder / "none"), HasSubstr("none does not exist"));
  EXPECT_THAT(open_error(folder.path()), HasSubstr("is empty"));
  std::ofstream(folder / "notes.txt") << "x";
  EXPECT_THAT(open_error(folder.path()), HasSubstr("holds no dataset.json"));
  EXPECT_THAT(open_error(folder / "notes.txt"), HasSubstr("is no folder"));
}

TEST(ShardedDataset, unfinished_packing) {
  const TemporaryFolder folder;
  Manifest manifest = write_example_dataset(folder.path(), 7);
  manifest.complete = false;
  save_manifest(manifest, folder.path());
  EXPECT_THAT(open_error(folder.path()), HasSubstr("Run the same effuse-pack command again"));
}

TEST(ShardedDataset, damaged_manifests) {
  const TemporaryFolder folder;
  const Manifest manifest = write_example_dataset(folder.path(), 7);
  const std::string text = read_file(folder / "dataset.json");
  const auto error_with = [&](const std::string& what, const std::string& by) {
    std::string changed = text;
    changed.replace(changed.find(what), what.size(), by);
    std::ofstream(folder / "dataset.json") << changed;
    return open_error(folder.path());
  };
  EXPECT_THAT(error_with("{", ""), HasSubstr("dataset.json is damaged"));
  EXPECT_THAT(error_with("\"shards\"", "\"shrads\""), HasSubstr("shards"));
  EXPECT_THAT(error_with("\"format\": 1", "\"format\": 2"), HasSubstr("has format 2"));
  EXPECT_THAT(error_with("\"height\": 4", "\"height\": 0"), HasSubstr("make no sense"));
  EXPECT_THAT(error_with("shard-00000.h5", "../shard.h5"), HasSubstr("makes no sense"));
  EXPECT_THAT(error_with("\"height\": 4", "\"height\": 5"), HasSubstr("/images is 5x4x4x3"));
  EXPECT_THAT(error_with("    \"dog\"", "\"dog\", \"eel\""), "nothing of this kind was thrown")
      << "a further class contradicts nothing";
}

TEST(ShardedDataset, missing_truncated_and_exchanged_shards) {
  const TemporaryFolder folder;
  write_example_dataset(folder.path(), 12);
  const auto size = std::filesystem::file_size(folder / "shard-00001.h5");
  std::filesystem::resize_file(folder / "shard-00001.h5", size - 1);
  EXPECT_THAT(open_error(folder.path()),
              AllOf(HasSubstr("shard-00001.h5"), HasSubstr("truncated")));
  std::filesystem::remove(folder / "shard-00001.h5");
  EXPECT_THAT(open_error(folder.path()),
              AllOf(HasSubstr("shard-00001.h5"), HasSubstr("No such file")));
  std::ofstream(folder / "shard-00001.h5") << std::string(size, 'x');
  EXPECT_THAT(open_error(folder.path()), HasSubstr("shard-00001.h5"));
  std::filesystem::remove(folder / "shard-00000.h5");
  EXPECT_THAT(open_error(folder.path()),
              AllOf(HasSubstr("2 of 3 shards"), HasSubstr("shard-00000.h5 cannot be found"),
                    HasSubstr("shard-00001.h5")));
}

TEST(ShardedDataset, a_label_outside_the_classes) {
  const TemporaryFolder folder;
  Manifest manifest = write_example_dataset(folder.path(), 5);
  manifest.classes = {"cat"};
  save_manifest(manifest, folder.path());
  EXPECT_THAT(open_error(folder.path()), HasSubstr("an image of class 1"));
}

TEST(Damage, a_flipped_byte_is_named_when_read) {
  const TemporaryFolder folder;
  write_example_dataset(folder.path(), 12);
  const std::filesystem::path shard = folder / "shard-00001.h5";
  flip_byte(shard, offset_of(shard, 8) + 10);
  const ShardedDataset dataset = ShardedDataset::open(folder.path());
  EXPECT_EQ(read(dataset, 7), example_pixels(7));
  const std::string message = message_of<DataError>([&] { read(dataset, 8); });
  EXPECT_THAT(message, AllOf(HasSubstr("image 3 of shard"), HasSubstr("shard-00001.h5"),
                             HasSubstr("cat/8.png"), HasSubstr("--verify"),
                             HasSubstr(hexadecimal(dataset.stored_crc(8)))));
}

TEST(Damage, a_file_cut_while_open_is_named) {
  const TemporaryFolder folder;
  write_example_dataset(folder.path(), 5);
  const ShardedDataset dataset = ShardedDataset::open(folder.path());
  const std::filesystem::path shard = folder / "shard-00000.h5";
  std::filesystem::resize_file(shard, offset_of(shard, 4) + 5);
  EXPECT_THAT(message_of<DataError>([&] { read(dataset, 4); }), HasSubstr("the file ends early"));
}

TEST(Verify, finds_every_damaged_image_and_no_other) {
  const TemporaryFolder folder;
  write_example_dataset(folder.path(), 12);
  EXPECT_TRUE(verify(ShardedDataset::open(folder.path()), ProgressStyle::silent).sound());
  flip_byte(folder / "shard-00001.h5", offset_of(folder / "shard-00001.h5", 8));
  flip_byte(folder / "shard-00002.h5", offset_of(folder / "shard-00002.h5", 11) + 47);
  const VerifyReport report = verify(ShardedDataset::open(folder.path()), ProgressStyle::silent);
  EXPECT_EQ(report.images, 12);
  ASSERT_EQ(report.damaged.size(), 2u);
  EXPECT_EQ(report.damaged[0].shard, "shard-00001.h5");
  EXPECT_EQ(report.damaged[0].row, 3);
  EXPECT_EQ(report.damaged[0].path, "cat/8.png");
  EXPECT_EQ(report.damaged[1].path, "cat/11.png");
  EXPECT_THAT(describe(report), HasSubstr("2 of 12 images are damaged"));
}

TEST(Verify, finds_a_changed_label) {
  const TemporaryFolder folder;
  write_example_dataset(folder.path(), 5);
  const std::filesystem::path shard = folder / "shard-00000.h5";
  const std::int64_t labels[] = {0, 1, 0, 1, 0};
  const std::string bytes(reinterpret_cast<const char*>(labels), sizeof(labels));
  flip_byte(shard, read_file(shard).find(bytes));
  const VerifyReport report = verify(ShardedDataset::open(folder.path()), ProgressStyle::silent);
  EXPECT_TRUE(report.damaged.empty());
  EXPECT_EQ(report.changed_shards, std::vector<std::string>{"shard-00000.h5"});
}

TEST(Statistics, are_those_of_the_values) {
  ChannelStatistics half_and_half;
  half_and_half.histogram[0] = 10;
  half_and_half.histogram[255] = 10;
  EXPECT_DOUBLE_EQ(half_and_half.mean(), 0.5);
  EXPECT_DOUBLE_EQ(half_and_half.deviation(), 0.5);

  const TemporaryFolder folder;
  write_example_dataset(folder.path(), 7);
  const ShardedDataset dataset = ShardedDataset::open(folder.path());
  const DatasetStatistics statistics = compute_statistics(dataset, ProgressStyle::silent);
  EXPECT_EQ(statistics.images_of_class, (std::vector<std::int64_t>{4, 3}));
  double green = 0;
  for (std::int64_t i = 0; i < 7; ++i) {
    for (std::size_t p = 1; p < 48; p += 3) green += example_pixels(i)[p] / 255.0;
  }
  EXPECT_NEAR(statistics.channels[1].mean(), green / (7 * 16), 1e-12);
  EXPECT_THAT(describe(dataset, statistics), AllOf(HasSubstr("cat"), HasSubstr("green")));
}

TEST(ContactSheet, has_a_column_per_class) {
  const TemporaryFolder folder;
  write_example_dataset(folder.path(), 7);
  const Image sheet = make_contact_sheet(ShardedDataset::open(folder.path()), 8);
  EXPECT_EQ(sheet.width, 2 + 2 * (56 + 2));
  EXPECT_EQ(sheet.height, 2 + 8 + 4 + 4 * (56 + 2));
}

TEST(ShardWriter, leaves_nothing_without_finish) {
  const TemporaryFolder folder;
  {
    ShardWriter writer(folder / "shard-00000.h5", {{4, 4, 3}, {"a"}, {}}, 3);
    writer.append(example_pixels(0), 0, 0, "a/0.png");
    EXPECT_EQ(names_in(folder.path()).size(), 1u);
  }
  EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(ShardWriter, the_capacity_leaves_no_trace) {
  const TemporaryFolder folder;
  for (const std::int64_t capacity : {2, 9}) {
    ShardWriter writer(folder / ("shard-" + std::to_string(capacity) + ".h5"),
                       {{4, 4, 3}, {"a"}, {}}, capacity);
    writer.append(example_pixels(0), 0, 1, "a/0.png");
    writer.append(example_pixels(1), 0, 2, "a/1.png");
    writer.finish();
  }
  EXPECT_EQ(read_file(folder / "shard-2.h5"), read_file(folder / "shard-9.h5"));
}

}  // namespace
}  // namespace effuse
