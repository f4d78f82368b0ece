#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "core/error.hpp"
#include "core/text.hpp"
#include "shards/output_folder.hpp"
#include "shards/pack_progress.hpp"
#include "shards/part_files.hpp"
#include "shards/quarantine.hpp"
#include "unit/shards/packing.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const std::string& name : names_in(folder)) files[name] = read_file(folder / name);
  return files;
}

/// 24 images in ranges of five. Some cannot be read; of 10 to 14, for shard 2, none.
class PackingParts : public Packing {
 protected:
  PackingParts() : Packing(16) {
    config_.fit = "pad";  // quickly done
    for (const int place : {1, 9, 10, 11, 12, 13, 14, 23}) spoil(place);
    config_.max_bad_share = 0.5;
    config_.output = (folder_ / "straight").string();
    run();
    straight_ = contents(config_.output);
    config_.output = (folder_ / "out").string();
  }

  PackPlan plan_for(const Part& part, Existing existing = Existing::keep) const {
    PackConfig config = config_;
    config.part = part.text();
    return plan_packing(config, existing);
  }

  PackOutcome run_part(std::int64_t number, std::int64_t of, Existing existing = Existing::keep) {
    return pack(plan_for({number, of}, existing), ProgressStyle::silent);
  }

  PackOutcome run_merge() { return merge(plan_packing(config_, Existing::keep)); }

  fs::path out() const { return config_.output; }

  /// These files and no others.
  void put(const std::map<std::string, std::string>& files) const {
    fs::remove_all(out());
    fs::create_directories(out());
    for (const auto& [name, bytes] : files) std::ofstream(out() / name, std::ios::binary) << bytes;
  }

  /// All parts are packed but not merged, as if each had ended before it saw the others.
  void pack_all_unmerged(std::int64_t of) {
    const std::string output = config_.output;
    fs::create_directories(output);
    for (std::int64_t number = 1; number <= of; ++number) {
      config_.output = (folder_ / "apart").string();
      EXPECT_EQ(run_part(number, of).result, PackResult::part_done);
      for (const std::string& name : names_in(config_.output)) {
        fs::rename(fs::path(config_.output) / name, fs::path(output) / name);
      }
    }
    config_.output = output;
  }

  /// As if the part had been killed while it wrote the shard after the first `kept`.
  void cut_part(const Part& part, std::size_t kept) {
    Manifest manifest = read_manifest(part_manifest_path(out(), part));
    ASSERT_LT(kept, manifest.shards.size());
    const std::string next = manifest.shards[kept].file;
    fs::rename(out() / next, out() / cat(".", next, ".tmp-1"));
    std::ofstream(part_lock_path(out(), part)) << "effuse-pack on another host";
    manifest.shards.resize(kept);
    manifest.complete = false;
    write_manifest(manifest, part_manifest_path(out(), part));
  }

  std::map<std::string, std::string> straight_;
};

TEST_F(PackingParts, gives_the_bytes_of_packing_in_one_go) {
  ASSERT_EQ(straight_.size(), 6U);
  for (const std::int64_t of : {2, 3, 5, 8}) {
    config_.output = (folder_ / cat("out", of)).string();
    for (std::int64_t i = 1; i < of; ++i) {
      const std::int64_t number = of % 2 == 0 ? i : of + 1 - i;
      EXPECT_EQ(run_part(number, of).result, PackResult::part_done) << number << "/" << of;
    }
    const PackOutcome last = run_part(of % 2 == 0 ? of : 1, of);
    EXPECT_EQ(last.result, PackResult::merged);
    EXPECT_EQ(last.manifest.image_count(), 16);
    EXPECT_EQ(contents(out()), straight_) << of;
  }
}

TEST_F(PackingParts, has_a_part_for_each_range_and_none_for_the_rest) {
  const PackOutcome unreadable = run_part(3, 8);
  EXPECT_EQ(unreadable.manifest.unreadable.size(), 5U);
  EXPECT_EQ(unreadable.manifest.image_count(), 0);
  EXPECT_EQ(run_part(4, 8).manifest.image_count(), 5);
  const PackOutcome nothing = run_part(8, 8);
  EXPECT_EQ(nothing.result, PackResult::part_done);
  EXPECT_TRUE(nothing.manifest.shards.empty() && nothing.manifest.unreadable.empty());
  EXPECT_THAT(names_in(out()), ElementsAre("part-00003-of-00008.json", "part-00004-of-00008.json",
                                           "part-00008-of-00008.json", "shard-00003.h5"));
  EXPECT_EQ(nothing.unfinished,
            "part 1/8 has not begun; part 2/8 has not begun; part 5/8 has not begun; part 6/8 has "
            "not begun; part 7/8 has not begun");
  run_part(7, 8);
  EXPECT_THAT(plan_for({2, 8}).summary(),
              HasSubstr("\npart 2/8: 5 images, for shard-00001.h5 to shard-00001.h5"));
  EXPECT_THAT(plan_for({6, 8}).summary(), HasSubstr("6/8: none of the shards"));
}

TEST_F(PackingParts, continues_a_part_that_was_killed) {
  for (const std::size_t kept : {0U, 1U}) {
    config_.output = (folder_ / cat("kept", kept)).string();
    pack_all_unmerged(2);
    const auto before = fs::last_write_time(out() / "shard-00000.h5");
    cut_part({2, 2}, kept);
    EXPECT_THAT(run_part(1, 2).unfinished,
                cat("part 2/2 is not done (", kept * 5, " images so far)"));
    const PackOutcome again = run_part(2, 2);
    EXPECT_EQ(again.result, PackResult::merged);
    EXPECT_EQ(again.images_before, static_cast<std::int64_t>(kept) * 5);
    EXPECT_EQ(contents(out()), straight_);
    EXPECT_EQ(fs::last_write_time(out() / "shard-00000.h5"), before);
  }
}

TEST_F(PackingParts, is_left_alone_once_done) {
  run_part(2, 2);
  const auto written = fs::last_write_time(out() / "shard-00003.h5");
  EXPECT_EQ(run_part(2, 2).result, PackResult::part_done);
  run_part(1, 2);
  EXPECT_EQ(run_part(2, 2).result, PackResult::already_complete);
  EXPECT_EQ(run_part(3, 7).result, PackResult::already_complete) << "of any number of parts";
  EXPECT_EQ(run_merge().result, PackResult::already_complete);
  EXPECT_EQ(run().result, PackResult::already_complete);
  EXPECT_EQ(fs::last_write_time(out() / "shard-00003.h5"), written);
  EXPECT_EQ(contents(out()), straight_);
}

TEST_F(PackingParts, repairs_a_truncated_shard_of_its_own) {
  pack_all_unmerged(2);
  fs::resize_file(out() / "shard-00003.h5", 1000);
  EXPECT_EQ(run_part(1, 2).unfinished,
            "part 2/2 is damaged (shard-00003.h5 is missing or truncated)");
  EXPECT_THAT(message_of<DataError>([&] { run_merge(); }),
              AllOf(HasSubstr("part 2/2 is damaged (shard-00003.h5 is missing or truncated)"),
                    HasSubstr("--part I/2")));
  EXPECT_EQ(run_part(2, 2).result, PackResult::merged);
  EXPECT_EQ(contents(out()), straight_);
}

TEST_F(PackingParts, refuses_another_number_of_parts) {
  run_part(1, 3);
  const auto before = contents(out());
  for (const Existing existing : {Existing::keep, Existing::discard}) {
    EXPECT_THAT(message_of<ConfigError>([&] { run_part(2, 4, existing); }),
                AllOf(HasSubstr("is being packed in 3 parts (part-00001-of-00003.json"),
                      HasSubstr("not in 4"), HasSubstr("--part I/3")));
  }
  EXPECT_THAT(message_of<ConfigError>([&] { run(); }), HasSubstr("not in one go"));
  EXPECT_EQ(contents(out()), before);
  EXPECT_EQ(run(Existing::discard).result, PackResult::packed);
  EXPECT_EQ(contents(out()), straight_);
}

TEST_F(PackingParts, refuses_other_settings_and_other_images) {
  run_part(1, 2);
  const auto before = contents(out());
  config_.shard_size_mib = 2;
  for (const std::int64_t number : {1, 2}) {
    EXPECT_THAT(
        message_of<ConfigError>([&] { run_part(number, 2); }),
        AllOf(HasSubstr("part 1/2 in "), HasSubstr("shard_size_mib is 1 there and 2 here")));
  }
  EXPECT_THAT(message_of<DataError>([&] { run_merge(); }),
              HasSubstr("part 1/2 has other settings (pack.shard_size_mib is 1 there and 2 here); "
                        "part 2/2 has not begun"));
  config_.shard_size_mib = 1;
  write_image(folder_ / "in/dog/new.png", 256, 1);
  EXPECT_THAT(message_of<DataError>([&] { run_part(2, 2); }), HasSubstr("24 files then, 25"));
  EXPECT_THAT(message_of<DataError>([&] { run_merge(); }),
              HasSubstr("was packed from other images"));
  EXPECT_EQ(contents(out()), before);
}

TEST_F(PackingParts, does_not_go_on_with_what_was_begun_in_one_go) {
  Manifest manifest = run().manifest;
  manifest.complete = false;
  manifest.shards.resize(1);
  save_manifest(manifest, out());
  EXPECT_THAT(message_of<ConfigError>([&] { run_part(1, 2); }),
              AllOf(HasSubstr("begun in one go, 1 shards so far"), HasSubstr("without --part")));
  EXPECT_THAT(message_of<ConfigError>([&] { run_merge(); }), HasSubstr("begun in one go"));
  EXPECT_EQ(run().result, PackResult::packed);
  fs::resize_file(out() / "shard-00004.h5", 1000);
  EXPECT_THAT(message_of<ConfigError>([&] { run_part(1, 2); }),
              HasSubstr("shard-00004.h5 is missing or truncated"));
  run();
  EXPECT_EQ(contents(out()), straight_);
}

TEST_F(PackingParts, starts_over_with_its_own_files_only) {
  config_.image_size = 200;  // eight images a shard
  for (const std::int64_t number : {1, 2, 3}) run_part(number, 3);
  const auto others = contents(out());
  std::ofstream(out() / "notes.txt") << "mine";
  config_.image_size = 256;
  EXPECT_EQ(run_part(1, 3, Existing::discard).result, PackResult::part_done);
  EXPECT_THAT(names_in(out()), ElementsAre("notes.txt", "part-00001-of-00003.json",
                                           "shard-00000.h5", "shard-00001.h5", "shard-00002.h5"));
  EXPECT_EQ(read_file(out() / "shard-00002.h5"), others.at("shard-00002.h5"));
  run_part(2, 3);
  EXPECT_EQ(run_part(3, 3).result, PackResult::merged);
  fs::remove(out() / "notes.txt");
  EXPECT_EQ(contents(out()), straight_);
}

TEST_F(PackingParts, leaves_nothing_of_a_larger_data_set) {
  fs::create_directories(out());
  for (const char* name : {"shard-00002.h5", "shard-00004.h5", "shard-00017.h5"}) {
    std::ofstream(out() / name) << "of before";
  }
  for (const std::int64_t number : {1, 2}) run_part(number, 2, Existing::discard);
  EXPECT_EQ(contents(out()), straight_);
}

TEST_F(PackingParts, that_have_packed_nothing_make_way) {
  const fs::path idle = out() / "part-00002-of-00004.json";
  fs::create_directories(out());
  config_.image_size = 128;
  write_manifest(fresh_manifest(plan_packing(config_, Existing::keep)), idle);
  config_.image_size = 256;
  {
    const auto lock = lock_part(out(), {2, 4});
    EXPECT_THAT(message_of<ConfigError>([&] { run_part(1, 3); }),
                HasSubstr("part 2/4 of " + config_.output + " is in use by"));
    EXPECT_THAT(message_of<ConfigError>([&] { run(Existing::discard); }),
                HasSubstr("is in use by"));
  }
  EXPECT_EQ(run_part(1, 3).result, PackResult::part_done);
  EXPECT_FALSE(fs::exists(idle));
}

TEST_F(PackingParts, are_packed_by_one_process_each) {
  fs::create_directories(out());
  {
    const auto lock = lock_part(out(), {2, 3});
    EXPECT_THAT(message_of<ConfigError>([&] { run_part(2, 3); }), HasSubstr("part 2/3 of"));
    EXPECT_EQ(run_part(1, 3).result, PackResult::part_done);
  }
  {
    const auto lock = lock_output(out());
    EXPECT_THAT(message_of<ConfigError>([&] { run_part(2, 3); }), HasSubstr("is in use by"));
  }
  run_part(2, 3);
  run_part(3, 3);
  EXPECT_EQ(contents(out()), straight_);
}

TEST_F(PackingParts, that_end_at_once_are_merged_once) {
  constexpr int kOf = 5;
  pack_all_unmerged(kOf);
  const auto unmerged = contents(out());
  for (int attempt = 0; attempt < 5; ++attempt) {
    put(unmerged);
    std::vector<PackPlan> plans;
    for (int number = 1; number <= kOf; ++number) plans.push_back(plan_for({number, kOf}));
    std::vector<PackResult> results(kOf);
    std::vector<std::thread> jobs;
    for (std::size_t i = 0; i < kOf; ++i) {
      jobs.emplace_back([&, i] { results[i] = pack(plans[i], ProgressStyle::silent).result; });
    }
    for (std::thread& job : jobs) job.join();
    EXPECT_EQ(std::ranges::count(results, PackResult::merged), 1);
    EXPECT_EQ(std::ranges::count(results, PackResult::already_complete), kOf - 1);
    EXPECT_EQ(contents(out()), straight_);
  }
}

TEST_F(PackingParts, are_merged_by_hand) {
  EXPECT_THAT(message_of<DataError>([&] { run_merge(); }), HasSubstr("holds no part"));
  EXPECT_FALSE(fs::exists(out()));
  run_part(2, 3);
  EXPECT_THAT(message_of<DataError>([&] { run_merge(); }),
              AllOf(HasSubstr("part 1/3 has not begun; part 3/3 has not begun"),
                    HasSubstr("Run effuse-pack with the same settings and --part I/3")));
  EXPECT_THAT(message_of<DataError>([&] { load_manifest(out()); }),
              AllOf(HasSubstr("is being packed in 3 parts"), HasSubstr("--merge")));
  fs::remove_all(out());
  pack_all_unmerged(3);
  check_merge(plan_packing(config_, Existing::keep));
  EXPECT_EQ(names_in(out()).size(), 7U) << "checking changes nothing";
  EXPECT_EQ(run_merge().result, PackResult::merged);
  EXPECT_EQ(contents(out()), straight_);
  check_merge(plan_packing(config_, Existing::keep));
}

/// Every state a merge can be killed in, and every way to go on.
TEST_F(PackingParts, are_merged_again_where_that_was_killed) {
  pack_all_unmerged(3);
  const auto unmerged = contents(out());
  for (int killed_after = 0; killed_after < 5; ++killed_after) {
    for (int way = 0; way < 3; ++way) {
      put(unmerged);
      std::ofstream(out() / ".part-00001-of-00003.lock") << "effuse-pack on another host";
      std::ofstream(out() / ".turn.lock") << "effuse-pack on another host";
      std::ofstream(out() / ".dataset.json.tmp-1") << "{";
      std::ofstream(out() / ".shard-00001.h5.tmp-1") << "of an attempt before";
      const auto copy = [&](const char* name) {
        std::ofstream(out() / name) << straight_.at(name);
      };
      if (killed_after > 0) copy("quarantine.csv");
      if (killed_after > 1) copy("dataset.json");
      if (killed_after > 2) fs::remove(out() / "part-00001-of-00003.json");
      if (killed_after > 3) fs::remove(out() / "part-00002-of-00003.json");
      if (way == 0) run_merge();
      if (way == 1) run_part(2, 3);
      if (way == 2 && killed_after < 2) {
        EXPECT_THAT(message_of<ConfigError>([&] { run(); }), HasSubstr("not in one go"));
        run_part(1, 3);
      } else if (way == 2) {
        run();
      }
      EXPECT_EQ(contents(out()), straight_) << killed_after << " " << way;
    }
  }
}

TEST_F(PackingParts, count_their_unreadable_images_together) {
  config_.max_bad_share = 0.25;  // six: of part 1 are two, of part 2 six
  EXPECT_EQ(run_part(1, 5).result, PackResult::part_done);
  for (const std::int64_t number : {2, 3, 4}) run_part(number, 5);
  EXPECT_THAT(message_of<DataError>([&] { run_part(5, 5); }),
              AllOf(HasSubstr("8 of 24 images cannot be read"), HasSubstr("quarantine.csv lists"),
                    HasSubstr("--max-bad-share")));
  EXPECT_EQ(read_file(quarantine_path(out())), straight_.at("quarantine.csv"));
  EXPECT_THAT(message_of<DataError>([&] { run_merge(); }), HasSubstr("8 of 24"));
  config_.max_bad_share = 0.4;
  EXPECT_EQ(run_merge().result, PackResult::merged);
  EXPECT_EQ(contents(out()), straight_);
}

TEST_F(PackingParts, stop_where_one_alone_has_too_many_unreadable_images) {
  config_.max_bad_share = 0.1;
  run_part(1, 5);
  EXPECT_THAT(message_of<DataError>([&] { run_part(3, 5); }),
              AllOf(HasSubstr("3 of 24 images cannot be read"),
                    HasSubstr("part-00003-of-00005.json lists")));
  EXPECT_EQ(read_manifest(out() / "part-00003-of-00005.json").unreadable.size(), 3U);
  config_.max_bad_share = 0.5;
  for (const std::int64_t number : {2, 3, 4, 5}) run_part(number, 5);
  EXPECT_EQ(contents(out()), straight_);
}

TEST_F(PackingParts, without_a_readable_image) {
  for (const SourceImage& image : scan_image_folder(config_.input).images) spoil(image.path);
  config_.max_bad_share = 1;
  run_part(1, 2);
  EXPECT_THAT(message_of<DataError>([&] { run_part(2, 2); }), HasSubstr("none of the 24 images"));
}

TEST(PartFiles, are_known_by_their_names) {
  const TemporaryFolder folder;
  EXPECT_EQ(part_manifest_path("d", {2, 3}), "d/part-00002-of-00003.json");
  EXPECT_EQ(part_manifest_path("d", {1, 1}), "d/dataset.json");
  EXPECT_TRUE(parts_in(folder / "none").empty());
  for (const char* name :
       {"part-00002-of-00003.json", "part-123456-of-200000.json", "part-00001-of-00003.json",
        "part-1-of-3.json", "part-00002-of-00003.json.old", "part-of-00003.json", "part-.json",
        ".part-00002-of-00003.json.tmp-7", "part-0000x-of-00003.json",
        ".part-00002-of-00003.lock"}) {
    std::ofstream(folder / name) << "x";
  }
  EXPECT_EQ(parts_in(folder.path()), (std::vector<Part>{{1, 3}, {2, 3}, {123456, 200000}}));
  EXPECT_EQ(locked_parts_in(folder.path()), (std::vector<Part>{{2, 3}}));
}

}  // namespace
}  // namespace effuse
