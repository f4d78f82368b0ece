#include "core/shell_word.hpp"

#include <gtest/gtest.h>

namespace effuse {
namespace {

TEST(ShellWord, IsQuotedOnlyWhereItMustBe) {
  EXPECT_EQ(shell_word("/scratch/runs/faces-2_b.1"), "/scratch/runs/faces-2_b.1");
  EXPECT_EQ(shell_word("runs/my faces"), "'runs/my faces'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word("$HOME; `x`\n"), "'$HOME; `x`\n'");
  EXPECT_EQ(shell_word("~/runs"), "'~/runs'");
  EXPECT_EQ(shell_word("größe"), "'größe'");
  EXPECT_EQ(shell_word(""), "''");
}

}  // namespace
}  // namespace effuse
