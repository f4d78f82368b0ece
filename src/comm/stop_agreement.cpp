#include "comm/stop_agreement.hpp"

#include <ATen/ATen.h>

#include "core/stop.hpp"

namespace effuse {

bool any_rank_stops(Communicator& comm, at::Device device) {
  const at::Tensor flag =
      at::full({1}, stop_signal() != 0 ? 1 : 0, at::TensorOptions(at::kInt).device(device));
  comm.all_reduce(flag, ReduceOp::max);
  return flag.item<int>() != 0;
}

}  // namespace effuse
