#pragma once

#include <string>
#include <string_view>

namespace effuse {

/// The HTML file: page/page.html with style, scripts, Chart.js and `data` (page_data()) put in. It
/// needs no network, and its content security policy forbids it any.
std::string html_page(std::string_view title, std::string_view data);

}  // namespace effuse
