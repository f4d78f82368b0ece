#pragma once

#include <string>

#include "comm/communicator.hpp"

namespace effuse {

class Network;

/// Collective. Begins training from the weights at `path` (model.pretrained), of any format that
/// effuse-convert reads: what fits the network by name and shape is taken, averaged weights where
/// there are some, and what does not fit is logged. Rank 0 reads, the others receive. Throws
/// ConfigError where nothing fits, and what reading throws.
void begin_from_pretrained(Network& network, Communicator& comm, const std::string& path);

/// The same for one process. Throws; says nothing.
void check_pretrained(Network& network, const std::string& path);

}  // namespace effuse
