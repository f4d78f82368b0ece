#pragma once

#include <string>
#include <vector>

#include "models/network.hpp"

namespace effuse {

/// Names of the parameters that get a gradient, in the order in which a backward pass finishes
/// them: buckets laid out so can be reduced one after the other while it still runs. Found by one
/// pass over an image of zeros; a parameter that the network does not use is not among them. A pure
/// function of the network's configuration, so every rank and every attempt finds the same.
std::vector<std::string> gradient_order(Network& network);

}  // namespace effuse
