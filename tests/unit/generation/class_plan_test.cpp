#include "generation/class_plan.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "core/error.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;
using Numbers = std::vector<std::int64_t>;

Numbers classes(const Words& wanted, const Words& names) {
  const ClassPlan plan(wanted, names);
  return {plan.classes().begin(), plan.classes().end()};
}

TEST(ClassPlan, images_cycle_through_the_wanted_classes) {
  EXPECT_EQ(classes({"all"}, {"cat", "dog", "eel"}), (Numbers{0, 1, 2}));
  EXPECT_EQ(classes({"eel", "0"}, {"cat", "dog", "eel"}), (Numbers{2, 0}));
  const ClassPlan plan(Words{"eel", "cat"}, Words{"cat", "dog", "eel"});
  EXPECT_TRUE(plan.conditional());
  EXPECT_EQ(plan.label(0), 2);
  EXPECT_EQ(plan.label(1), 0);
  EXPECT_EQ(plan.label(1000000), 2);
}

TEST(ClassPlan, a_name_goes_before_a_number) {
  EXPECT_EQ(classes({"1"}, {"1", "0"}), (Numbers{0}));
}

TEST(ClassPlan, an_unconditional_model_has_no_classes) {
  const ClassPlan plan(Words{"all"}, Words{});
  EXPECT_FALSE(plan.conditional());
  EXPECT_EQ(plan.label(5), 0);
  EXPECT_THAT(message_of<ConfigError>([] { classes({"cat"}, {}); }),
              HasSubstr("trained without any"));
}

TEST(ClassPlan, labels_are_class_numbers_in_range) {
  const ClassPlan plan =
      ClassPlan::of_labels(std::vector<std::int64_t>{1, 1, 0}, Words{"cat", "dog"});
  EXPECT_EQ(plan.label(1), 1);
  EXPECT_EQ(plan.label(2), 0);
  EXPECT_THAT(message_of<ConfigError>([] {
                ClassPlan::of_labels(std::vector<std::int64_t>{2}, Words{"cat", "dog"});
              }),
              HasSubstr("sampling.labels has 2, but the model has 2 classes"));
  EXPECT_THAT(
      message_of<ConfigError>([] { ClassPlan::of_labels(std::vector<std::int64_t>{0}, Words{}); }),
      HasSubstr("trained without any"));
}

TEST(ClassPlan, a_file_has_a_class_in_each_line) {
  const TemporaryFolder folder;
  const auto file = folder / "classes.txt";
  const Words names{"cat", "sea lion"};
  std::ofstream(file) << "sea lion\r\n0\ncat";
  const ClassPlan plan = ClassPlan::of_file(file, names);
  EXPECT_EQ(Numbers(plan.classes().begin(), plan.classes().end()), (Numbers{1, 0, 0}));
  EXPECT_EQ(plan.label(3), 1) << "again from the first";
  std::ofstream(file) << "cat\n\ncat\n";
  EXPECT_THAT(message_of<ConfigError>([&] { ClassPlan::of_file(file, names); }),
              HasSubstr("classes.txt, line 2: the model knows no class"));
  std::ofstream(file, std::ios::trunc).close();
  EXPECT_THAT(message_of<ConfigError>([&] { ClassPlan::of_file(file, names); }),
              HasSubstr("is empty"));
  EXPECT_THAT(message_of<ConfigError>([&] { ClassPlan::of_file(folder / "none", names); }),
              HasSubstr("cannot be read"));
  EXPECT_THAT(message_of<ConfigError>([&] { ClassPlan::of_file(file, {}); }),
              HasSubstr("trained without any"));
}

TEST(ClassPlan, an_unknown_class_is_named_with_the_nearest) {
  EXPECT_THAT(
      message_of<ConfigError>([] {
        classes({"dgo"}, {"cat", "dog"});
      }),
      AllOf(HasSubstr("no class dgo"), HasSubstr("it has 2"), HasSubstr("Did you mean dog?")));
  for (const char* number : {"2", "-1", "1x"}) {
    EXPECT_THAT(message_of<ConfigError>([&] {
                  classes({number}, {"cat", "dog"});
                }),
                HasSubstr(number));
  }
}

}  // namespace
}  // namespace effuse
