#pragma once

#include <string>
#include <utility>
#include <vector>

#include "comm/communicator.hpp"

namespace effuse {

/// Rank 0 of two that are never there: writes down what is reduced, and when, beside what else a
/// test writes down, and changes nothing.
class RecordingCommunicator final : public Communicator {
 public:
  RecordingCommunicator() : Communicator(0, 2, {}) {}

  std::string_view backend() const override { return "recording"; }

  std::vector<std::string> events;

 private:
  class Done final : public Work {
   public:
    void wait() override {}
  };

  bool accepts(at::Device) const override { return true; }

  std::unique_ptr<Work> note(OperationLabel label) {
    events.push_back(std::move(label.name));
    return std::make_unique<Done>();
  }
  std::unique_ptr<Work> start_all_reduce(at::Tensor, ReduceOp, OperationLabel label) override {
    return note(std::move(label));
  }
  std::unique_ptr<Work> start_broadcast(at::Tensor, int, OperationLabel label) override {
    return note(std::move(label));
  }
  std::unique_ptr<Work> start_all_gather(at::Tensor, at::Tensor, OperationLabel label) override {
    return note(std::move(label));
  }
  std::unique_ptr<Work> start_barrier(OperationLabel label) override {
    return note(std::move(label));
  }
};

}  // namespace effuse
