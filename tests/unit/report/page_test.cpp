#include "report/page.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "report/page_data.hpp"
#include "report/resources.hpp"

namespace effuse {
namespace {

RunRecord record_of_three_lines() {
  RunRecord run;
  run.name = "faces";
  for (const std::int64_t step : {10, 20, 30}) {
    LogLine line;
    line.step = step;
    if (step != 20) line.values[0] = 0.1 / static_cast<double>(step);
    run.log.curves.add(line);
    run.log.last = line;
    ++run.log.lines;
  }
  return run;
}

TEST(PageData, HasTheVeryNumbersOfAShortLog) {
  const auto data = nlohmann::json::parse(page_data({record_of_three_lines()}, 5.0));
  const auto& curves = data.at("runs").at(0).at("curves");
  EXPECT_EQ(curves.at("last_step"), nlohmann::json({10, 20, 30}));
  EXPECT_EQ(curves.at("series").at("loss").at("mean"),
            nlohmann::json({0.1 / 10.0, nullptr, 0.1 / 30.0}));
  EXPECT_FALSE(curves.at("series").at("loss").contains("least"));
  EXPECT_FALSE(curves.at("series").contains("grad_norm"));
  EXPECT_EQ(curves.at("timestep_loss").size(), kTenths);
  EXPECT_EQ(data.at("made_unix_s"), 5.0);
}

TEST(PageData, HasTheExtremesOfALongOne) {
  RunRecord run;
  run.log.curves = ThinnedLog(2);
  for (std::int64_t step = 1; step <= 4; ++step) {
    LogLine line;
    line.step = step;
    line.values[0] = static_cast<double>(step);
    run.log.curves.add(line);
  }
  const auto data = nlohmann::json::parse(page_data({run}, 0.0));
  const auto& loss = data.at("runs").at(0).at("curves").at("series").at("loss");
  EXPECT_EQ(loss.at("mean"), nlohmann::json({1.5, 3.5}));
  EXPECT_EQ(loss.at("least"), nlohmann::json({1.0, 3.0}));
  EXPECT_EQ(loss.at("greatest"), nlohmann::json({2.0, 4.0}));
}

TEST(PageData, CannotEndItsElement) {
  RunRecord run;
  run.name = "</script><!-- <script> \xff";
  const std::string text = page_data({run}, 0.0);
  EXPECT_EQ(text.find('<'), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(text).at("runs").at(0).at("name"),
            "</script><!-- <script> \xef\xbf\xbd");
}

TEST(Page, PutsThingsInOnce) {
  const std::string html = html_page("a <b> & \"c\" {{data}}", "{\"x\":\"{{style}}\"}");
  EXPECT_NE(html.find("<title>a &lt;b&gt; &amp; &quot;c&quot; {{data}}</title>"),
            std::string::npos);
  EXPECT_NE(html.find(">{\"x\":\"{{style}}\"}</script>"), std::string::npos);
  EXPECT_NE(html.find(resources::style()), std::string::npos);
  EXPECT_NE(html.find(resources::script()), std::string::npos);
}

TEST(Page, KeepsTheNoticeOfChartJs) {
  const std::string html = html_page("t", "{}");
  EXPECT_NE(html.find("Chart.js v3"), std::string::npos);
  EXPECT_NE(html.find("Released under the MIT License"), std::string::npos);
}

}  // namespace
}  // namespace effuse
