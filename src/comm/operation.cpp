#include "comm/operation.hpp"

#include "core/text.hpp"

namespace effuse {

std::string_view section_name(CommSection section) {
  switch (section) {
    case CommSection::startup:
      return "startup";
    case CommSection::step:
      return "step";
    case CommSection::preview:
      return "preview";
    case CommSection::save:
      return "save";
    case CommSection::evaluation:
      return "evaluation";
  }
  return "unknown";
}

double Deadlines::of(CommSection section) const {
  switch (section) {
    case CommSection::startup:
      return startup_s;
    case CommSection::step:
      return step_s;
    case CommSection::preview:
      return preview_s;
    case CommSection::save:
      return save_s;
    case CommSection::evaluation:
      return evaluation_s;
  }
  return startup_s;
}

std::string OperationLabel::text() const {
  return cat(name, sequence > 0 ? cat(", number ", sequence) : "", ", section ",
             section_name(section));
}

DeadlineError::DeadlineError(const OperationLabel& operation, int rank, double elapsed_s,
                             const std::string& missing, const char* file, int line)
    : CommError(cat("rank ", rank, " waited ", fixed(elapsed_s, 1), " s for the other ranks in ",
                    operation.text(), ", longer than its deadline of ",
                    fixed(operation.deadline_s, 1), " s: ",
                    missing.empty() ? "a rank has died, is stuck, or did not come to this operation"
                                    : missing,
                    ". See what the ranks were doing in their logs, or raise parallel.",
                    section_name(operation.section), "_timeout_s if they were only slow."),
                file, line),
      operation_(operation),
      elapsed_s_(elapsed_s) {}

}  // namespace effuse
