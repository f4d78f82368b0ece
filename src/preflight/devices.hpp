#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "preflight/places.hpp"

namespace effuse {

/// What one rank computes on.
struct DeviceFacts {
  std::string error;
  bool is_gpu = false;
  std::string name;      ///< of the GPU, or of the processor
  std::string identity;  ///< of the GPU, the same for all who see it
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
  int visible = 0;  ///< GPUs that the rank sees
};

/// `choose` gives the rank's device, or throws why there is none.
DeviceFacts find_device(const std::function<at::Device()>& choose);

/// Fails ranks without a device, two ranks on one GPU, GPUs beside CPUs; warns of different models,
/// of GPUs whose memory others use, and of GPUs without a rank.
Finding judge_devices(const Places& places, const std::vector<DeviceFacts>& facts);

/// Collective.
Finding check_devices(Communicator& comm, const Places& places,
                      const std::function<at::Device()>& choose);

}  // namespace effuse
