#include "evaluation/rank_sum.hpp"

#include <ATen/ATen.h>

namespace effuse {

at::Tensor sum_over_ranks(const at::Tensor& part, Communicator& comm, at::Device device) {
  at::Tensor sum = at::empty(part.sizes(), part.options().device(device));
  sum.copy_(part);
  comm.all_reduce(sum);
  return sum.cpu();
}

}  // namespace effuse
