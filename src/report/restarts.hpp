#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "report/run_documents.hpp"
#include "report/training_log.hpp"

namespace effuse {

/// Where the run went on, ascending: after the begin of each stretch of progress but the first. The
/// account of time does not tell a restart of the job from a return to a checkpoint within one.
/// Where the numbers of attempts and of skipped steps do not decide, what rank 0 said of it in
/// `messages` (logs/rank-0000.log) does; where that file is lost it is Continuation::unknown.
std::vector<Restart> find_restarts(const std::optional<RunGoodput>& goodput,
                                   const std::filesystem::path& messages);

}  // namespace effuse
