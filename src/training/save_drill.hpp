#pragma once

#include <cstdint>
#include <filesystem>

#include "checkpoint/file_operations.hpp"
#include "training/drill.hpp"

namespace effuse {

/// The faults kill_in_save and fail_in_save: at the drill.operation-th operation on files, counted
/// from the first save of step drill.step or a later one, the process kills itself; or that
/// operation and all that follow fail as on a full disk, so that trying again does not help. Rank 0
/// writes, so drill.rank has to be 0.
class SaveDrill {
 public:
  explicit SaveDrill(const Drill& drill) : drill_(drill) {}

  /// A save of that step begins.
  void begin_save(std::int64_t step);

  /// As a FileHook.
  void before(FileOperation operation, const std::filesystem::path& path);

 private:
  Drill drill_;
  bool begun_ = false;
  std::int64_t operations_ = 0;  // since it has begun
};

}  // namespace effuse
