#include "data/loader.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "core/error.hpp"
#include "data/augment.hpp"
#include "support/temporary_folder.hpp"
#include "unit/shards/example.hpp"

namespace effuse {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::int64_t kImages = 13;
constexpr std::int64_t kBatch = 8;

class LoaderTest : public ::testing::Test {
 protected:
  LoaderTest() {
    write_example_dataset(folder_.path(), kImages);
    dataset_ = std::make_unique<ShardedDataset>(ShardedDataset::open(folder_.path()));
  }

  std::vector<Batch> read(const BatchPlan& plan, const Loader::Options& options, int batches) {
    Loader loader(BatchSource(*dataset_, plan), options);
    std::vector<Batch> read;
    for (int i = 0; i < batches; ++i) read.push_back(loader.next());
    return read;
  }

  TemporaryFolder folder_;
  std::unique_ptr<ShardedDataset> dataset_;
};

void expect_equal(const Batch& one, const Batch& other) {
  EXPECT_EQ(one.step, other.step);
  EXPECT_EQ(one.positions, other.positions);
  EXPECT_EQ(one.indices, other.indices);
  EXPECT_TRUE(at::equal(one.images, other.images));
  EXPECT_TRUE(at::equal(one.labels, other.labels));
  ASSERT_EQ(one.mirrored.defined(), other.mirrored.defined());
  if (one.mirrored.defined()) {
    EXPECT_TRUE(at::equal(one.mirrored, other.mirrored));
  }
}

TEST_F(LoaderTest, any_number_of_workers_reads_the_same_batches) {
  const BatchPlan plan{.seed = 5, .batch_size = kBatch, .flip = true};
  const auto expected = read(plan, {.workers = 0}, 10);
  for (const int workers : {1, 3}) {
    const auto batches = read(plan, {.workers = workers, .prefetch_batches = 2}, 10);
    for (std::size_t i = 0; i < batches.size(); ++i) expect_equal(batches[i], expected[i]);
  }
}

TEST_F(LoaderTest, begins_anywhere) {
  const BatchPlan plan{.seed = 5, .batch_size = kBatch};
  const auto expected = read(plan, {.workers = 0}, 6);
  const auto late = read(plan, {.first_step = 4, .workers = 3}, 2);
  expect_equal(late[0], expected[4]);
  expect_equal(late[1], expected[5]);
}

TEST_F(LoaderTest, ranks_together_read_the_global_batch) {
  const auto global = read({.seed = 5, .batch_size = kBatch, .flip = true}, {.workers = 0}, 4);
  for (const int ranks : {1, 2, 3}) {
    for (int step = 0; step < 4; ++step) {
      Batch joined;
      std::vector<at::Tensor> images, labels, mirrored;
      for (int rank = 0; rank < ranks; ++rank) {
        const BatchPlan plan{
            .seed = 5, .batch_size = kBatch, .rank = rank, .world_size = ranks, .flip = true};
        const Batch share = BatchSource(*dataset_, plan).read(step);
        joined.positions.insert(joined.positions.end(), share.positions.begin(),
                                share.positions.end());
        joined.indices.insert(joined.indices.end(), share.indices.begin(), share.indices.end());
        images.push_back(share.images);
        labels.push_back(share.labels);
        mirrored.push_back(share.mirrored);
      }
      joined.step = step;
      joined.images = at::cat(images);
      joined.labels = at::cat(labels);
      joined.mirrored = at::cat(mirrored);
      expect_equal(joined, global[static_cast<std::size_t>(step)]);
    }
  }
}

TEST_F(LoaderTest, batches_hold_the_images_they_name) {
  const auto batches = read({.seed = 5, .batch_size = kBatch}, {.workers = 1}, 4);
  for (const Batch& batch : batches) {
    ASSERT_EQ(batch.images.sizes(), (at::IntArrayRef{kBatch, kSide, kSide, 3}));
    for (std::int64_t i = 0; i < kBatch; ++i) {
      const auto index = batch.indices[static_cast<std::size_t>(i)];
      const at::Tensor image = batch.images[i].contiguous();
      const auto* bytes = image.const_data_ptr<std::uint8_t>();
      EXPECT_EQ(std::vector<std::uint8_t>(bytes, bytes + image.numel()), example_pixels(index));
      EXPECT_EQ(batch.labels[i].item<std::int64_t>(), index % 2);
      EXPECT_EQ(batch.positions[static_cast<std::size_t>(i)], batch.step * kBatch + i);
    }
  }
}

TEST_F(LoaderTest, says_which_images_are_mirrored_and_of_the_whole_batch_which_they_are) {
  const BatchSource source(*dataset_, {.seed = 5, .batch_size = 64, .flip = true});
  const Batch batch = source.read(3);
  const auto mirrored = batch.mirrored.sum().item<std::int64_t>();
  EXPECT_GT(mirrored, 16);
  EXPECT_LT(mirrored, 48);
  EXPECT_EQ(source.global_indices(3), batch.indices);
  const BatchPlan second{.seed = 5, .batch_size = 64, .rank = 1, .world_size = 2};
  EXPECT_EQ(BatchSource(*dataset_, second).global_indices(3), batch.indices);
}

TEST(Mirror, turns_the_images_that_are_to_be_turned) {
  const at::Tensor images = at::arange(2 * 1 * 3 * 2).to(at::kByte).view({2, 1, 3, 2});
  const at::Tensor turned = mirror_images(images, at::arange(2).to(at::kBool));
  EXPECT_TRUE(at::equal(turned[0], images[0]));
  EXPECT_TRUE(at::equal(turned[1].flatten(), at::tensor({10, 11, 8, 9, 6, 7}).to(at::kByte)));
  EXPECT_TRUE(at::equal(mirror_images(images, {}), images));
}

TEST_F(LoaderTest, each_epoch_sees_each_image_once_across_batches) {
  std::vector<std::int64_t> stream;
  for (const Batch& batch : read({.seed = 5, .batch_size = kBatch}, {.workers = 0}, 13)) {
    stream.insert(stream.end(), batch.indices.begin(), batch.indices.end());
  }
  std::vector<std::int64_t> all(kImages);
  for (std::int64_t i = 0; i < kImages; ++i) all[static_cast<std::size_t>(i)] = i;
  for (auto begin = stream.begin(); begin != stream.end(); begin += kImages) {
    std::vector<std::int64_t> epoch(begin, begin + kImages);
    std::sort(epoch.begin(), epoch.end());
    EXPECT_EQ(epoch, all);
  }
}

TEST_F(LoaderTest, hands_on_what_reading_threw_when_its_batch_is_due) {
  const BatchPlan plan{.seed = 5, .batch_size = 1};
  const auto healthy = read(plan, {.workers = 0}, 3);
  const std::int64_t victim = healthy[2].indices[0];
  const auto shard = folder_ / shard_file_name(static_cast<std::size_t>(victim / kShardRows));
  flip_byte(shard, offset_of(shard, victim));
  for (const int workers : {0, 1, 3}) {
    Loader loader(BatchSource(*dataset_, plan), {.workers = workers});
    expect_equal(loader.next(), healthy[0]);
    expect_equal(loader.next(), healthy[1]);
    EXPECT_THAT(message_of<DataError>([&] { loader.next(); }),
                AllOf(HasSubstr(shard.filename().string()),
                      HasSubstr("cat/" + std::to_string(victim) + ".png")));
  }
}

TEST_F(LoaderTest, takes_the_next_whole_image_in_place_of_a_damaged_one) {
  const BatchPlan plan{.seed = 5, .batch_size = kImages};
  const Batch healthy = BatchSource(*dataset_, plan).read(0);
  const auto shard = folder_ / shard_file_name(0);
  for (const int victim : {0, 1}) flip_byte(shard, offset_of(shard, victim));
  std::vector<std::int64_t> reported;
  DamagedImages damaged(2,
                        [&](std::int64_t image, const std::string&) { reported.push_back(image); });
  for (int time = 0; time < 2; ++time) {
    const Batch batch = BatchSource(*dataset_, plan, &damaged).read(0);
    for (std::size_t i = 0; i < kImages; ++i) {
      const std::int64_t index = healthy.indices[i];
      const std::int64_t expected = index < 2 ? 2 : index;
      EXPECT_EQ(batch.indices[i], expected);
      const auto place = static_cast<std::int64_t>(i);
      EXPECT_EQ(batch.labels[place].item<std::int64_t>(), expected % 2);
      const auto* bytes = batch.images[place].const_data_ptr<std::uint8_t>();
      EXPECT_EQ(std::vector<std::uint8_t>(bytes, bytes + batch.images[place].numel()),
                example_pixels(expected));
    }
  }
  std::sort(reported.begin(), reported.end());
  EXPECT_EQ(reported, (std::vector<std::int64_t>{0, 1})) << "each once";
}

TEST_F(LoaderTest, stops_at_one_damaged_image_too_many) {
  const auto shard = folder_ / shard_file_name(0);
  for (const int victim : {0, 1}) flip_byte(shard, offset_of(shard, victim));
  DamagedImages damaged(1);
  const BatchSource source(*dataset_, {.seed = 5, .batch_size = kImages}, &damaged);
  EXPECT_THAT(message_of<DataError>([&] { source.read(0); }),
              AllOf(HasSubstr(shard.filename().string()), HasSubstr("(and 1 more, all that")));
}

TEST_F(LoaderTest, unverified_reading_takes_what_is_there) {
  flip_byte(folder_ / shard_file_name(0), offset_of(folder_ / shard_file_name(0), 0));
  EXPECT_NO_THROW(read({.seed = 5, .batch_size = kImages, .verify = false}, {.workers = 0}, 1));
}

TEST_F(LoaderTest, may_be_dropped_while_workers_read) {
  Loader loader(BatchSource(*dataset_, {.seed = 5, .batch_size = kBatch}),
                {.workers = 3, .prefetch_batches = 2});
  loader.next();
  EXPECT_LE(loader.queued(), 2 + 3);
}

}  // namespace
}  // namespace effuse
