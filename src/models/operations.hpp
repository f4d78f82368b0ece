#pragma once

#include <ATen/core/Tensor.h>

namespace effuse {

class Network;

/// Floating-point operations of the network's forward pass for one image of its sample_size, a
/// multiplication and an addition counting as two: those of convolutions, matrix products and
/// attention, as libtorch is asked for them (as torch.utils.flop_counter counts), element-wise work
/// left out. Runs one forward pass with the network's weights, which have to be of type `type` on
/// `device`; it is left in the mode it was in.
double forward_flops(Network& network, at::Device device, at::ScalarType type);

}  // namespace effuse
