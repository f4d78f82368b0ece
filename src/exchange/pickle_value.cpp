#include "exchange/pickle_value.hpp"

#include <array>
#include <ranges>

namespace effuse {

const char* kind_of(const PickleNode& node) {
  static constexpr std::array kKinds{"None",     "a bool",     "an integer", "a number",
                                     "a string", "bytes",      "a tuple",    "a list",
                                     "a dict",   "a callable", "a storage",  "a tensor"};
  static_assert(std::variant_size_v<decltype(PickleNode::value)> == kKinds.size());
  return kKinds.at(node.value.index());
}

const PickleNode* find(const PickleDict& dict, std::string_view key) {
  for (const auto& [candidate, value] : std::views::reverse(dict.items)) {
    const auto* text = candidate->as<std::string>();
    if (text != nullptr && *text == key) return value;
  }
  return nullptr;
}

}  // namespace effuse
