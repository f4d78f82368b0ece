#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "comm/communicator.hpp"

namespace effuse {

/// Collective. The facts of all ranks, by rank. `Facts` has to_json() and from_json().
template <class Facts>
std::vector<Facts> gather(Communicator& comm, const Facts& own) {
  // Paths may hold bytes that are no UTF-8: they are shown as replacement characters.
  constexpr auto kLenient = nlohmann::json::error_handler_t::replace;
  std::vector<Facts> all;
  for (const std::string& text :
       comm.all_gather_text(nlohmann::json(own).dump(-1, ' ', false, kLenient))) {
    all.push_back(nlohmann::json::parse(text).get<Facts>());
  }
  return all;
}

}  // namespace effuse
