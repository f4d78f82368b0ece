#pragma once

#include <span>
#include <string>

#include "preflight/finding.hpp"

/// Findings as a table for people, made row by row, so that what was found is on the screen already
/// where a later check hangs.
namespace effuse {

/// The line above the rows.
std::string table_head();

/// The row of one finding, its problems and details below it. Lines of at most 100 letters, except
/// where a single word is longer.
std::string table_row(const Finding& finding);

/// The last line: "fit to train", "fit to train (2 warnings)", "not fit: 1 check failed".
std::string table_conclusion(std::span<const Finding> findings);

}  // namespace effuse
