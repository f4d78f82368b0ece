#include "oracle/reducer.hpp"

#include <algorithm>
#include <string>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>
#include <unordered_map>
#include <utility>

#include "comm/operation_queue.hpp"

namespace effuse {
namespace {

using TensorVector = std::vector<at::Tensor>;
using FuturePointer = c10::intrusive_ptr<c10::ivalue::Future>;

FuturePointer make_future() {
  return c10::make_intrusive<c10::ivalue::Future>(c10::ListType::create(c10::TensorType::get()));
}

/// Sums and broadcasts over a Communicator, as c10d asks for them.
class CommunicatorBackend final : public c10d::Backend {
 public:
  explicit CommunicatorBackend(Communicator& comm)
      : c10d::Backend(comm.rank(), comm.world_size()), comm_(comm) {}

  const std::string getBackendName() const override { return "effuse"; }

  c10::intrusive_ptr<c10d::Work> allreduce(TensorVector& tensors,
                                           const c10d::AllreduceOptions&) override {
    ++reductions_;
    const FuturePointer future = make_future();
    const std::shared_ptr<Work> work = comm_.all_reduce_async(tensors.at(0));
    static_cast<void>(completions_.submit([future, work, tensors](const auto&) {
      try {
        work->wait();
        future->markCompleted(c10::IValue(tensors));
      } catch (...) {
        future->setError(std::current_exception());
      }
    }));
    return c10d::Work::create_from_future(future);
  }

  c10::intrusive_ptr<c10d::Work> broadcast(TensorVector& tensors,
                                           const c10d::BroadcastOptions& options) override {
    comm_.broadcast(tensors.at(0), static_cast<int>(options.rootRank));
    const FuturePointer future = make_future();
    future->markCompleted(c10::IValue(tensors));
    return c10d::Work::create_from_future(future);
  }

  int reductions() const { return reductions_; }

 private:
  Communicator& comm_;
  int reductions_ = 0;
  OperationQueue completions_;  // a thread that completes what c10d waits for
};

/// As DistributedDataParallel assigns them at first: in the reverse of the network's order.
std::vector<std::vector<std::size_t>> first_buckets(const TensorVector& parameters,
                                                    std::int64_t bucket_bytes) {
  auto buckets = std::get<0>(c10d::compute_bucket_assignment_by_size(
      parameters, {static_cast<std::size_t>(bucket_bytes)}));
  std::ranges::reverse(buckets);
  return buckets;
}

}  // namespace

struct TorchReducer::Engine {
  Engine(const TensorVector& parameters, Communicator& comm, std::int64_t bucket_bytes)
      : backend(c10::make_intrusive<CommunicatorBackend>(comm)) {
    const auto group = c10::make_intrusive<c10d::ProcessGroup>(
        c10::make_intrusive<c10d::HashStore>(), comm.rank(), comm.world_size());
    group->setBackend(at::kCPU, c10d::ProcessGroup::BackendType::CUSTOM, backend);
    reducer = std::make_shared<c10d::Reducer>(
        parameters, first_buckets(parameters, bucket_bytes), group,
        std::vector<bool>(parameters.size(), false), bucket_bytes,
        /*find_unused_parameters=*/false, /*gradient_as_bucket_view=*/true,
        std::unordered_map<std::size_t, std::string>{}, /*first_bucket_bytes_cap=*/bucket_bytes,
        /*skip_all_reduce_unused_params=*/false, /*use_python_reducer=*/false,
        std::vector<std::int64_t>{});
  }

  c10::intrusive_ptr<CommunicatorBackend> backend;
  std::shared_ptr<c10d::Reducer> reducer;
};

TorchReducer::TorchReducer(const TensorVector& parameters, Communicator& comm,
                           std::int64_t bucket_bytes)
    : engine_(std::make_unique<Engine>(parameters, comm, bucket_bytes)) {}

TorchReducer::~TorchReducer() = default;

void TorchReducer::before_forward() {
  engine_->reducer->rebuild_buckets();
  engine_->reducer->prepare_for_forward();
}

void TorchReducer::before_backward() { engine_->reducer->prepare_for_backward({}); }

int TorchReducer::reductions() const { return engine_->backend->reductions(); }

}  // namespace effuse
