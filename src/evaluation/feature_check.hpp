#pragma once

#include "comm/communicator.hpp"
#include "evaluation/shared_rows.hpp"

namespace effuse {

/// Collective. Throws AgreedError unless all numbers of a table [N, D] are finite. `what` are
/// "features" of `whose` "images".
void require_finite(const SharedRows& table, const char* what, const char* whose,
                    Communicator& comm, at::Device device);

/// Collective. Throws AgreedError unless both are [N, D] with the same D > 0 and all their numbers
/// are finite.
void require_comparable(const SharedRows& reference, const SharedRows& images, Communicator& comm,
                        at::Device device);

}  // namespace effuse
