#include "core/utf8.hpp"

#include <gtest/gtest.h>

namespace effuse {
namespace {

TEST(ValidUtf8, ReplacesWhatIsNone) {
  EXPECT_EQ(valid_utf8("caf\xC3\xA9"), "caf\xC3\xA9");
  EXPECT_EQ(valid_utf8("caf\xE9"), "caf\xEF\xBF\xBD");
}

}  // namespace
}  // namespace effuse
