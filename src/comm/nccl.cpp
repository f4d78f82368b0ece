#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAEvent.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <nccl.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

#include "comm/backends.hpp"
#include "comm/deadline.hpp"
#include "comm/gpu_sharing.hpp"
#include "comm/patience.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

ncclDataType_t nccl_type(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return ncclFloat32;
    case at::kDouble:
      return ncclFloat64;
    case at::kBFloat16:
      return ncclBfloat16;
    case at::kHalf:
      return ncclFloat16;
    case at::kLong:
      return ncclInt64;
    case at::kInt:
      return ncclInt32;
    case at::kByte:
      return ncclUint8;
    default:
      throw CommError("tensors of this type cannot be sent by NCCL");
  }
}

ncclRedOp_t nccl_op(ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
      return ncclSum;
    case ReduceOp::max:
      return ncclMax;
    case ReduceOp::min:
      return ncclMin;
  }
  return ncclSum;
}

CommError nccl_error(const std::string& what, ncclResult_t result, ncclComm_t comm) {
  const char* advice = result == ncclSystemError || result == ncclRemoteError
                           ? " (the network, or a rank that has died)"
                           : "";
  return CommError(cat(what, " failed in NCCL: ", ncclGetErrorString(result), ", ",
                       ncclGetLastError(comm), advice, "; NCCL_DEBUG=INFO makes NCCL say more"));
}

/// The one owner of an ncclComm_t, in NCCL's non-blocking mode: no call waits without a deadline.
/// After a failure NCCL's kernels have been told to end and every call throws it. Thread-safe.
class NcclHandle {
 public:
  NcclHandle(const ncclUniqueId& id, const Attendance& attendance, int world_size,
             const OperationLabel& label)
      : attendance_(attendance) {
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    enqueue(label, [&](ncclComm_t&) {
      return ncclCommInitRankConfig(&comm_, world_size, id, attendance_.rank(), &config);
    });
  }

  ~NcclHandle() {
    if (comm_ == nullptr) return;
    if (failure_ || std::uncaught_exceptions() > 0 || !finalize()) {
      ncclCommAbort(comm_);
    } else {
      ncclCommDestroy(comm_);
    }
  }
  NcclHandle(const NcclHandle&) = delete;
  NcclHandle& operator=(const NcclHandle&) = delete;

  /// Makes `call` with the communicator and waits until NCCL has taken it (not until it is done).
  template <class Call>
  void enqueue(const OperationLabel& label, const Call& call) {
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    Deadline deadline(attendance_, label);
    ncclResult_t result = call(comm_);
    for (Patience patience; result == ncclInProgress;) {
      patience.pause();
      try {
        deadline.check();
      } catch (const DeadlineError&) {
        fail_locked(std::current_exception());
      }
      ncclCommGetAsyncError(comm_, &result);
    }
    if (result != ncclSuccess) {
      fail_locked(std::make_exception_ptr(nccl_error(label.text(), result, comm_)));
    }
  }

  /// Fails the communicator where NCCL has met an error since.
  void look_for_errors(const OperationLabel& label) {
    const std::lock_guard lock(mutex_);
    if (failure_) return;
    ncclResult_t state = ncclSuccess;
    ncclCommGetAsyncError(comm_, &state);
    if (state != ncclSuccess && state != ncclInProgress) {
      record_failure(std::make_exception_ptr(nccl_error(label.text(), state, comm_)));
    }
  }

  /// Ends all operations. The first failure is the one that is kept.
  void fail(std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) record_failure(std::move(failure));
  }

  void check() {
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void record_failure(std::exception_ptr failure) {
    failure_ = std::move(failure);
    if (comm_ != nullptr) ncclCommAbort(std::exchange(comm_, nullptr));
  }

  [[noreturn]] void fail_locked(std::exception_ptr failure) {
    record_failure(std::move(failure));
    std::rethrow_exception(failure_);
  }

  bool finalize() {
    constexpr double kDeadlineS = 30.0;
    ncclResult_t state = ncclCommFinalize(comm_);
    for (Patience patience; state == ncclInProgress && patience.elapsed_s() < kDeadlineS;) {
      patience.pause();
      ncclCommGetAsyncError(comm_, &state);
    }
    return state == ncclSuccess;
  }

  std::mutex mutex_;
  const Attendance& attendance_;  ///< for enqueue(), which only its owner calls
  ncclComm_t comm_ = nullptr;
  std::exception_ptr failure_;
};

/// An operation on the communication stream, from its launch to its end.
struct Flight {
  OperationLabel label;
  std::vector<at::Tensor> tensors;
  Deadline deadline;
  c10::cuda::CUDAEvent began{cudaEventDefault};
  c10::cuda::CUDAEvent done{cudaEventDefault};
};

/// A thread that looks at what is in flight, since the host itself does not wait for the GPU: a
/// deadline missed or an error of NCCL's fails the communicator, whose kernels then end, and with
/// them whatever the host came to wait for.
class NcclWatch {
 public:
  NcclWatch(std::shared_ptr<NcclHandle> handle, at::Device device)
      : handle_(std::move(handle)), device_(device), thread_([this] { run(); }) {}

  ~NcclWatch() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  NcclWatch(const NcclWatch&) = delete;
  NcclWatch& operator=(const NcclWatch&) = delete;

  void add(std::shared_ptr<Flight> flight) {
    {
      const std::lock_guard lock(mutex_);
      flights_.push_back(std::move(flight));
    }
    changed_.notify_one();
  }

 private:
  void run() {
    const c10::cuda::CUDAGuard guard(device_);
    std::unique_lock lock(mutex_);
    while (!ended_) {
      changed_.wait(lock, [this] { return ended_ || !flights_.empty(); });
      if (ended_) return;
      const std::shared_ptr<Flight> oldest = flights_.front();
      lock.unlock();
      const bool over = look_at(*oldest);
      lock.lock();
      if (over) {
        flights_.pop_front();
      } else {
        changed_.wait_for(lock, std::chrono::milliseconds(20), [this] { return ended_; });
      }
    }
  }

  bool look_at(Flight& flight) {
    try {
      if (flight.done.query()) {
        flight.deadline.met();
        return true;
      }
      handle_->look_for_errors(flight.label);
      flight.deadline.check();
      return false;
    } catch (const CommError&) {
      handle_->fail(std::current_exception());
    } catch (const std::exception& error) {
      handle_->fail(std::make_exception_ptr(
          CommError(cat(flight.label.text(), " failed on the GPU: ", error.what()))));
    }
    return true;
  }

  std::shared_ptr<NcclHandle> handle_;
  at::Device device_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Flight>> flights_;
  bool ended_ = false;
  std::thread thread_;  // last: it uses all of the above
};

class NcclWork final : public Work {
 public:
  NcclWork(std::shared_ptr<NcclHandle> handle, std::shared_ptr<Flight> flight)
      : handle_(std::move(handle)), flight_(std::move(flight)) {}

  void wait() override {
    handle_->check();
    flight_->done.block(c10::cuda::getCurrentCUDAStream(flight_->tensors.front().get_device()));
  }
  double busy_s() const override { return 1e-3 * flight_->began.elapsed_time(flight_->done); }

 private:
  std::shared_ptr<NcclHandle> handle_;
  std::shared_ptr<Flight> flight_;
};

ncclUniqueId share_unique_id(Communicator& host) {
  ncclUniqueId id{};
  if (host.rank() == 0) {
    const ncclResult_t result = ncclGetUniqueId(&id);
    if (result != ncclSuccess) throw nccl_error("ncclGetUniqueId", result, nullptr);
  }
  const std::string bytes = host.broadcast_text({id.internal, sizeof(id.internal)}, 0);
  std::memcpy(id.internal, bytes.data(), sizeof(id.internal));
  return id;
}

std::shared_ptr<NcclHandle> connect(Communicator& host, const Session& session, at::Device device,
                                    const Attendance& attendance, double startup_s) {
  const c10::cuda::CUDAGuard guard(device);
  refuse_shared_gpus(host, session, device);
  const ncclUniqueId id = share_unique_id(host);
  const OperationLabel label{CommSection::startup, "set-up of NCCL", 0, startup_s};
  attendance.come_to(label);
  return std::make_shared<NcclHandle>(id, attendance, session.world_size(), label);
}

/// Operations run on a stream of their own, of high priority, ordered against the caller's current
/// stream by events. Texts and barriers, which are the host's, go over MPI.
class NcclCommunicator final : public Communicator {
 public:
  NcclCommunicator(const Session& session, at::Device device, const Deadlines& deadlines)
      : Communicator(session.rank(), session.world_size(), deadlines, session.roll_call()),
        device_(device),
        host_(session.uses_mpi() ? make_mpi(session, deadlines) : make_single(deadlines)),
        stream_(c10::cuda::getStreamFromPool(/*isHighPriority=*/true, device.index())),
        handle_(connect(*host_, session, device, attendance(), deadlines.startup_s)),
        watch_(handle_, device) {}

  std::string_view backend() const override { return "nccl"; }

  void check() override {
    handle_->check();
    host_->check();
  }
  CommSection enter(CommSection section) override {
    host_->enter(section);
    return Communicator::enter(section);
  }
  std::string broadcast_text(const std::string& text, int root) override {
    return host_->broadcast_text(text, root);
  }
  std::vector<std::string> all_gather_text(const std::string& text) override {
    return host_->all_gather_text(text);
  }

 private:
  bool accepts(at::Device device) const override { return device == device_; }

  std::unique_ptr<Work> start_all_reduce(at::Tensor tensor, ReduceOp op,
                                         OperationLabel label) override {
    return launch({tensor}, std::move(label), [&](ncclComm_t comm, cudaStream_t stream) {
      return ncclAllReduce(tensor.const_data_ptr(), tensor.mutable_data_ptr(), count_of(tensor),
                           nccl_type(tensor.scalar_type()), nccl_op(op), comm, stream);
    });
  }
  std::unique_ptr<Work> start_broadcast(at::Tensor tensor, int root,
                                        OperationLabel label) override {
    return launch({tensor}, std::move(label), [&](ncclComm_t comm, cudaStream_t stream) {
      return ncclBroadcast(tensor.const_data_ptr(), tensor.mutable_data_ptr(), count_of(tensor),
                           nccl_type(tensor.scalar_type()), root, comm, stream);
    });
  }
  std::unique_ptr<Work> start_all_gather(at::Tensor tensor, at::Tensor gathered,
                                         OperationLabel label) override {
    return launch({tensor, gathered}, std::move(label), [&](ncclComm_t comm, cudaStream_t stream) {
      return ncclAllGather(tensor.const_data_ptr(), gathered.mutable_data_ptr(), count_of(tensor),
                           nccl_type(tensor.scalar_type()), comm, stream);
    });
  }
  std::unique_ptr<Work> start_barrier(OperationLabel) override {
    host_->barrier();
    return std::make_unique<Done>();
  }

  static std::size_t count_of(const at::Tensor& tensor) {
    return static_cast<std::size_t>(tensor.numel());
  }

  template <class Call>
  std::unique_ptr<Work> launch(std::vector<at::Tensor> tensors, OperationLabel label,
                               const Call& call) {
    const c10::cuda::CUDAGuard guard(device_);
    c10::cuda::CUDAEvent ready(cudaEventDisableTiming);
    ready.record(c10::cuda::getCurrentCUDAStream(device_.index()));
    ready.block(stream_);
    for (const auto& tensor : tensors) {
      c10::cuda::CUDACachingAllocator::recordStream(tensor.storage().data_ptr(), stream_);
    }
    auto flight =
        std::make_shared<Flight>(Flight{label, std::move(tensors), Deadline(attendance(), label)});
    flight->began.record(stream_);
    handle_->enqueue(flight->label, [&](ncclComm_t comm) { return call(comm, stream_.stream()); });
    flight->done.record(stream_);
    watch_.add(flight);
    return std::make_unique<NcclWork>(handle_, std::move(flight));
  }

  at::Device device_;
  std::unique_ptr<Communicator> host_;
  c10::cuda::CUDAStream stream_;
  std::shared_ptr<NcclHandle> handle_;
  NcclWatch watch_;  // last: its thread uses the handle
};

}  // namespace

std::unique_ptr<Communicator> make_nccl(const Session& session, at::Device device,
                                        const Deadlines& deadlines) {
  return std::make_unique<NcclCommunicator>(session, device, deadlines);
}

}  // namespace effuse
