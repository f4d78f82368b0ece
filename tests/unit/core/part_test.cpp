#include "core/part.hpp"

#include <gmock/gmock.h>

#include "core/error.hpp"
#include "support/error_message.hpp"

namespace effuse {
namespace {

using ::testing::HasSubstr;

TEST(Part, is_counted_from_one) {
  EXPECT_EQ(parse_part("3/8", "sampling.part"), (Part{3, 8}));
  EXPECT_EQ((Part{3, 8}.text()), "3/8");
  for (const char* text : {"0/8", "9/8", "3", "3/", "/8", "-1/8", "3/8/2", "a/b", " 3/8", ""}) {
    EXPECT_THAT(message_of<ConfigError>([&] { parse_part(text, "pack.part"); }),
                HasSubstr(std::string("pack.part is \"") + text + "\"; it must be I/N"));
  }
}

TEST(Part, holds_consecutive_things_in_even_numbers) {
  for (std::int64_t count = 0; count <= 12; ++count) {
    for (std::int64_t of = 1; of <= 15; ++of) {
      std::int64_t next = 0;
      for (std::int64_t number = 1; number <= of; ++number) {
        const IndexRange range = range_of_part(count, {number, of});
        EXPECT_EQ(range.first, next);
        EXPECT_LE(range.count(), (count + of - 1) / of);
        EXPECT_GE(range.count(), count / of);
        next = range.end;
      }
      EXPECT_EQ(next, count);
    }
  }
}

TEST(Part, of_more_things_than_fit_if_multiplied) {
  constexpr std::int64_t kMany = 999'999'999'999'999;
  EXPECT_EQ(range_of_part(kMany, {kMany, kMany}), (IndexRange{kMany - 1, kMany}));
}

}  // namespace
}  // namespace effuse
