#pragma once

#include <cstddef>
#include <memory>

#include "comm/communicator.hpp"

/// The backends behind make_communicator(), for it and for tests.
namespace effuse {

/// The work of an operation that is over when it has begun.
class Done final : public Work {
 public:
  void wait() override {}
};

/// One rank, nothing to do but check arguments.
std::unique_ptr<Communicator> make_single(const Deadlines& deadlines);

struct MpiOptions {
  /// Longer messages are sent in pieces of this size: within MPI's int counts, and of scratch
  /// memory. Equal at every rank.
  std::size_t piece_bytes = std::size_t{32} << 20;
};

/// Collective.
std::unique_ptr<Communicator> make_mpi(const Session& session, const Deadlines& deadlines,
                                       const MpiOptions& options = {});

/// Collective. Throws ConfigError in a build without CUDA.
std::unique_ptr<Communicator> make_nccl(const Session& session, at::Device device,
                                        const Deadlines& deadlines);

}  // namespace effuse
