#include "app/evaluation_report.hpp"

#include <gtest/gtest.h>

#include <system_error>

namespace effuse {
namespace {

EvaluationReport report() {
  EvaluationReport made;
  made.scores["fid"] = {{"value", 1.5}};
  return made;
}

TEST(EvaluationReport, IsPrintedEvenWhereItsFileCannotBeWritten) {
  ::testing::internal::CaptureStdout();
  EXPECT_THROW(tell(report(), "/dev/null/result.json"), std::system_error);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), report_table(report()));
}

TEST(EvaluationReport, NamesAConventionWhereTheNetworkHasOne) {
  EvaluationReport made = report();
  made.network = {.network = "torchscript", .sha256 = "", .convention = ""};
  const auto settings_of = [](const EvaluationReport& of) {
    return nlohmann::json::parse(report_json(of))["settings"];
  };
  EXPECT_FALSE(settings_of(made).contains("convention"));
  made.network.convention = "clean";
  made.settings.convention = "clean";
  EXPECT_EQ(settings_of(made)["convention"], "clean");
}

}  // namespace
}  // namespace effuse
