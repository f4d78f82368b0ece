#include "app/goodput_file.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/files.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

Goodput::State example() {
  Goodput::State state{.began_unix_s = 1.7e9 + 1.0 / 3.0,
                       .elapsed_s = 45.0,
                       .apart_s = 0.0,
                       .attempts = 3,
                       .finished = true,
                       .redone_steps = 12,
                       .bad_steps = 2,
                       .lost_s = {1, 2, 3, 4, 4, 1, 6, 7, 1, 1},
                       .kept = {{0, 5, 10.0, 1}, {5, 9, 5.0, 3}}};
  return state;
}

TEST(GoodputFile, reads_back_what_was_written) {
  const TemporaryFolder folder;
  write_goodput(folder / "goodput.json", Goodput(example()));
  EXPECT_EQ(read_goodput(folder / "goodput.json").state(), example());
  const auto json = nlohmann::json::parse(read_file(folder / "goodput.json"));
  EXPECT_DOUBLE_EQ(json["goodput"].get<double>(), 15.0 / 45.0);
  EXPECT_DOUBLE_EQ(json["lost_s"]["startup"].get<double>(), 1.0);
  EXPECT_DOUBLE_EQ(json["lost_s"]["down"].get<double>(), 1.0);
  EXPECT_EQ(json["kept"][1]["up_to"], 9);
  EXPECT_EQ(json["kept"][1]["attempt"], 3);
}

TEST(GoodputFile, that_is_absent_or_damaged_is_an_account_that_begins) {
  const TemporaryFolder folder;
  const auto file = folder / "goodput.json";
  EXPECT_EQ(read_goodput(file).state(), Goodput::State());
  for (const char* text : {"{\"goodput\":", "[]", "", "{\"format\": 1}"}) {
    std::ofstream(file) << text;
    EXPECT_EQ(read_goodput(file).state(), Goodput::State()) << text;
  }
}

TEST(GoodputFile, has_an_attempt_as_soon_as_it_begins) {
  const TemporaryFolder folder;
  const auto file = folder / "goodput.json";
  const Goodput first = begin_goodput(file, 0);
  EXPECT_EQ(read_goodput(file).state(), first.state());
  EXPECT_EQ(first.state().attempts, 1);
  EXPECT_NEAR(first.lost_s(Lost::startup), first.total_s(), 1e-9);
  EXPECT_EQ(begin_goodput(file, 0).state().attempts, 2);
  EXPECT_EQ(begin_goodput("/proc/no/such/folder", 0).state().attempts, 1)
      << "an account that cannot be kept stops no training";
}

}  // namespace
}  // namespace effuse
