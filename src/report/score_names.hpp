#pragma once

#include <array>

namespace effuse {

/// The scores that evaluation.jsonl and result.json hold, in the order in which they are shown.
inline constexpr std::array kScores{"fid",    "kid",     "is",      "precision",
                                    "recall", "density", "coverage"};

}  // namespace effuse
