#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "comm/deadline.hpp"
#include "comm/operation.hpp"
#include "comm/session.hpp"

namespace effuse {

enum class ReduceOp { sum, max, min };

/// A collective operation under way. Dropping it without wait() is allowed: the operation goes on,
/// and what it works on is kept alive.
class Work {
 public:
  virtual ~Work() = default;

  /// Returns when the result may be used: by the host for CPU tensors, by later work of the
  /// current stream for CUDA tensors. Throws CommError where the operation failed, DeadlineError
  /// where the ranks did not complete it in time.
  virtual void wait() = 0;

  /// How long the operation itself took, from its begin (it waits for those before it) to its end,
  /// waiting for slower ranks included. Once wait() has returned and, for CUDA tensors, the GPU has
  /// come past it; 0 where there was nothing to do.
  virtual double busy_s() const { return 0.0; }
};

/// What the ranks of a job do together. Calls marked "Collective." must be made by all ranks, in
/// the same order, from one thread a rank.
///
/// Tensors are contiguous, of float32, float64, bfloat16, float16, int64, int32 or uint8, on the
/// CPU for the backend `mpi`, on this rank's GPU for `nccl`, anywhere for `single`. A reduction's
/// result has the same bits at every rank, and in every run with the same number of ranks.
///
/// Arguments that cannot be right throw CommError at once, at the rank that passed them. After any
/// other CommError the communicator is unusable, and every later call throws it again: the
/// job has to end.
class Communicator {
 public:
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  int rank() const { return rank_; }
  int world_size() const { return world_size_; }

  /// "single", "mpi" or "nccl".
  virtual std::string_view backend() const = 0;

  /// Collective. Reduces `tensor` over the ranks, in place. The operations of one communicator
  /// run one after the other, beside the caller's own work. `purpose` ("bucket 3 of step 17") tells
  /// operations apart that are otherwise alike: ranks that come with different ones are told so.
  [[nodiscard]] std::unique_ptr<Work> all_reduce_async(at::Tensor tensor,
                                                       ReduceOp op = ReduceOp::sum,
                                                       std::string_view purpose = {});

  /// Collective. all_reduce_async() and wait().
  void all_reduce(at::Tensor tensor, ReduceOp op = ReduceOp::sum);

  /// Collective. `tensor` of rank `root` to all ranks, in place.
  void broadcast(at::Tensor tensor, int root = 0);

  /// Collective. Tensors of equal shape [...] as one of [world, ...].
  at::Tensor all_gather(const at::Tensor& tensor);

  /// Collective. Returns when all ranks have come here.
  void barrier();

  /// Collective. `text` of rank `root`, at all ranks. What the others pass is ignored.
  virtual std::string broadcast_text(const std::string& text, int root = 0);

  /// Collective. The texts of all ranks, by rank.
  virtual std::vector<std::string> all_gather_text(const std::string& text);

  /// A drill: this rank leaves out its next all_reduce, as a rank does whose program took another
  /// turn than the others'. The tensor stays as it is.
  void leave_out_next_reduction() { leaves_out_ = true; }

  /// Collective. Throws CommError where the ranks have not come to the same operations so far, in
  /// number or in kind. The backend `mpi` sees to that at each operation; NCCL adds up whatever
  /// meets.
  void require_same_history();

  /// Throws the CommError of an operation that has failed meanwhile. Not collective, does not
  /// wait: to be called after results were read back from a GPU.
  virtual void check() {}

  /// Operations begun from here on belong to `section`. Returns the section until now.
  virtual CommSection enter(CommSection section);
  CommSection section() const { return section_; }

 protected:
  Communicator(int rank, int world_size, const Deadlines& deadlines, RollCall* roll_call = nullptr);

  const Attendance& attendance() const { return attendance_; }

  virtual bool accepts(at::Device device) const = 0;
  virtual std::unique_ptr<Work> start_all_reduce(at::Tensor tensor, ReduceOp op,
                                                 OperationLabel label) = 0;
  virtual std::unique_ptr<Work> start_broadcast(at::Tensor tensor, int root,
                                                OperationLabel label) = 0;
  virtual std::unique_ptr<Work> start_all_gather(at::Tensor tensor, at::Tensor gathered,
                                                 OperationLabel label) = 0;
  virtual std::unique_ptr<Work> start_barrier(OperationLabel label) = 0;

 private:
  OperationLabel next_label(std::string name);
  void require_usable(const at::Tensor& tensor, std::string_view operation) const;
  void require_rank(int root, std::string_view operation) const;

  int rank_;
  int world_size_;
  Deadlines deadlines_;
  Attendance attendance_;
  bool leaves_out_ = false;
  CommSection section_ = CommSection::startup;
  std::uint64_t sequence_ = 0;
  std::uint64_t history_ = 0;  ///< a checksum of all operations so far
};

/// A section for the length of a block.
class SectionScope {
 public:
  SectionScope(Communicator& communicator, CommSection section)
      : communicator_(communicator), before_(communicator.enter(section)) {}
  ~SectionScope() { communicator_.enter(before_); }
  SectionScope(const SectionScope&) = delete;
  SectionScope& operator=(const SectionScope&) = delete;

 private:
  Communicator& communicator_;
  CommSection before_;
};

/// Collective. A communicator over all ranks of the session, which must outlive it.
///
/// `backend`: "single" (one rank, no MPI needed), "mpi" (tensors on the CPU), "nccl" (tensors on
/// `device`, a GPU), or "auto" (single for one rank, else by the device). Throws ConfigError where
/// that cannot be: single with several ranks, mpi without a launcher, nccl without a GPU, in a
/// build without CUDA, or with two ranks on one GPU.
std::unique_ptr<Communicator> make_communicator(Session& session, const std::string& backend,
                                                at::Device device, const Deadlines& deadlines);

}  // namespace effuse
