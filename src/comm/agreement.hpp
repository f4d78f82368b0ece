#pragma once

#include <functional>
#include <optional>
#include <string>

#include "comm/communicator.hpp"

namespace effuse {

/// What went wrong at some rank, known to all: with it the job ends in order, every rank finishing
/// its writing and leaving with the same code, where an abort would cut the others short.
class AgreedError : public Error {
 public:
  AgreedError(ExitCode code, const std::string& message, const char* file = __builtin_FILE(),
              int line = __builtin_LINE())
      : Error(message, file, line), code_(code) {}

  ExitCode exit_code() const override { return code_; }

 private:
  ExitCode code_;
};

/// Collective. Does `work`, which may differ from rank to rank or be nothing at some. Where it
/// threw at any rank, throws AgreedError at every rank, with the first failing rank's exit code and
/// message, which says the rank unless all failed alike.
///
/// A CommError inside `work` passes through unchanged: the ranks can no longer agree on anything.
void agree(Communicator& communicator, const std::function<void()>& work);

/// Collective. agree(), and this rank's own result where all succeeded.
template <class Function>
auto agree_value(Communicator& communicator, const Function& work) {
  std::optional<decltype(work())> result;
  agree(communicator, [&] { result.emplace(work()); });
  return std::move(*result);
}

}  // namespace effuse
