#pragma once

#include <string_view>

/// Files compiled into the program (src/report/CMakeLists.txt), so that it works wherever it is.
namespace effuse::resources {

std::string_view page();           ///< page/page.html
std::string_view style();          ///< page/style.css
std::string_view script();         ///< page/*.js, one after the other
std::string_view chart_library();  ///< Chart.js, minified, as its package has it

}  // namespace effuse::resources
