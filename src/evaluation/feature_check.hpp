#pragma once

#include "evaluation/shared_rows.hpp"

namespace effuse {

/// Throws DataError unless both are [N, D] with the same D > 0.
void require_comparable(const SharedRows& reference, const SharedRows& images);

}  // namespace effuse
