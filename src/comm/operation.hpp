#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace effuse {

/// The part of a job that a collective operation belongs to, and whose deadline it has.
enum class CommSection { startup, step, preview, save, evaluation };

/// "startup", "step", "preview", "save", "evaluation".
std::string_view section_name(CommSection section);

/// How long the ranks may wait for each other in one operation, by section.
struct Deadlines {
  double startup_s = 600.0;
  double step_s = 300.0;
  double preview_s = 1800.0;
  double save_s = 1800.0;
  double evaluation_s = 3600.0;

  double of(CommSection section) const;
};

/// One collective operation as messages name it.
struct OperationLabel {
  CommSection section = CommSection::startup;
  std::string name;  ///< "all_reduce of 1,100,000 x float32 (sum)": equal at every rank
  /// Its number on this communicator, from 1: equal at every rank. 0: it comes before all others.
  std::uint64_t sequence = 0;
  double deadline_s = 0.0;

  /// `all_reduce of 3 x float32 (sum), number 7, section step`.
  std::string text() const;
};

/// An operation that the ranks did not all complete in time.
class DeadlineError : public CommError {
 public:
  /// `missing` says which ranks did not come to it and where they are; empty: nobody knows.
  DeadlineError(const OperationLabel& operation, int rank, double elapsed_s,
                const std::string& missing, const char* file = __builtin_FILE(),
                int line = __builtin_LINE());

  const OperationLabel& operation() const { return operation_; }
  double elapsed_s() const { return elapsed_s_; }

 private:
  OperationLabel operation_;
  double elapsed_s_;
};

}  // namespace effuse
