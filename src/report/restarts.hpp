#pragma once

#include <optional>
#include <vector>

#include "report/run_documents.hpp"
#include "report/training_log.hpp"

namespace effuse {

/// Where the run went on, ascending: after the begin of each stretch of progress but the first.
std::vector<Restart> find_restarts(const std::optional<RunGoodput>& goodput);

}  // namespace effuse
