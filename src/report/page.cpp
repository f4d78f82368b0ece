#include "report/page.hpp"

#include <stdexcept>

#include "core/text.hpp"
#include "report/resources.hpp"

namespace effuse {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace

std::string html_page(std::string_view title, std::string_view data) {
  const std::string safe_title = escaped(title);
  const auto content_of = [&](std::string_view name) -> std::string_view {
    if (name == "title") return safe_title;
    if (name == "style") return resources::style();
    if (name == "data") return data;
    if (name == "chart_library") return resources::chart_library();
    if (name == "script") return resources::script();
    throw std::logic_error(cat("page.html has an unknown place {{", name, "}}"));
  };
  // One pass, so that nothing that was put in is looked at again.
  std::string_view rest = resources::page();
  std::string html;
  html.reserve(rest.size() + data.size() + resources::chart_library().size() + (1 << 17));
  for (std::size_t open = rest.find("{{"); open != rest.npos; open = rest.find("{{")) {
    const std::size_t close = rest.find("}}", open);
    html += rest.substr(0, open);
    html += content_of(rest.substr(open + 2, close - open - 2));
    rest.remove_prefix(close + 2);
  }
  return html.append(rest);
}

}  // namespace effuse
