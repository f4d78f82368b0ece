#include "core/utf8.hpp"

#include <gtest/gtest.h>

namespace effuse {
namespace {

TEST(ValidUtf8, ReplacesWhatIsNone) {
  EXPECT_EQ(valid_utf8("caf\xC3\xA9"), "caf\xC3\xA9");
  EXPECT_EQ(valid_utf8("caf\xE9"), "caf\xEF\xBF\xBD");
}

TEST(Printable, ShowsControlCharactersInsteadOfSendingThem) {
  EXPECT_EQ(printable("a\x1b[31mb\rc\x7f"), "a\\x1b[31mb\\x0dc\\x7f");
  EXPECT_EQ(printable("two\n\tlines \xE9"), "two\n\tlines \xEF\xBF\xBD");
}

}  // namespace
}  // namespace effuse
