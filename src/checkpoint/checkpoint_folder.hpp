#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "checkpoint/file_operations.hpp"
#include "checkpoint/run_state.hpp"
#include "checkpoint/safetensors.hpp"

namespace effuse {

/// All that a run needs to go on as if it had never stopped.
struct CheckpointContents {
  NamedTensors model;      ///< model.safetensors: fp32 master weights
  NamedTensors ema;        ///< ema.safetensors: averaged weights, names as in `model`
  NamedTensors optimizer;  ///< optimizer.safetensors
  RunState state;          ///< state.json
};

/// The folder checkpoints/ of a run:
///   step-00012000/{model,ema,optimizer}.safetensors, state.json, manifest.json
///   latest -> step-00012000
///   best -> step-00008000, where evaluations have found one
/// A checkpoint is committed in two phases: everything is written and flushed under a hidden name,
/// the manifest with size and SHA-256 of each file last, then renamed into place. So what bears the
/// name step-… was complete once; damage since then shows in the checksums.
///
/// One process writes a folder at a time (rank 0, in one thread at a time); any number read it.
class CheckpointFolder {
 public:
  /// `hook` sees every change to the disk before it is made (FileHook).
  explicit CheckpointFolder(std::filesystem::path folder, FileHook hook = {});

  /// Writes the checkpoint of contents.state.step, replacing one of the same step, and points
  /// `latest` at it. Removes leftovers of saves that were killed first. Throws CheckpointError with
  /// the cause and what to do; the checkpoints that were there are still valid then.
  void save(const CheckpointContents& contents);

  /// Removes what saves that were killed left over, as save() and retain() do. Throws
  /// CheckpointError where that fails.
  void clear_leftovers() const;

  /// Steps with a checkpoint, valid or not, ascending. Empty where the folder does not exist.
  std::vector<std::int64_t> steps() const;

  /// The checkpoint of one step, after its files' sizes and checksums were found right. Throws
  /// CheckpointError naming the damaged or missing file.
  CheckpointContents load(std::int64_t step) const;

  /// state.json alone, checked as in load().
  RunState read_state(std::int64_t step) const;

  struct Found {
    std::int64_t step = 0;
    CheckpointContents contents;
    std::vector<std::string> damaged;  ///< a sentence for each newer one passed over, newest first
  };

  /// The newest checkpoint that is whole; nothing where there is none at all. Throws
  /// CheckpointError where there are checkpoints but none is valid: to start over in silence would
  /// throw away the run.
  std::optional<Found> load_newest_valid() const;

  /// Deletes all but the newest `keep_last` (at least 1) checkpoints, whatever their steps, and
  /// those of steps that `keep_every_steps` divides (0: none); and never the newest valid one or
  /// the best.
  /// Throws CheckpointError where deleting fails.
  void retain(std::int64_t keep_last, std::int64_t keep_every_steps = 0);

  /// Points `best` at the checkpoint of a step, which retain() keeps from then on. Throws
  /// CheckpointError where there is none, or where that fails.
  void mark_best(std::int64_t step);

  /// The step that `best` leads to; nothing where there is none.
  std::optional<std::int64_t> best() const;

  /// Before a run goes on from `step`: checkpoints of later steps belong to a course that is given
  /// up. They are renamed to "step-….abandoned", which nothing reads, and `latest` leads to `step`;
  /// a `best` among them is forgotten.
  /// Throws CheckpointError where that fails.
  void abandon_after(std::int64_t step);

  const std::filesystem::path& path() const { return folder_; }

 private:
  std::filesystem::path folder_of(std::int64_t step) const;
  void write_files(const CheckpointContents& contents, const std::filesystem::path& folder) const;
  void commit(const std::filesystem::path& temporary, const std::filesystem::path& step_folder);
  void move_into_place(const std::filesystem::path& temporary,
                       const std::filesystem::path& step_folder) const;
  void point(const char* link, const std::filesystem::path& step_folder) const;
  void remove_leftovers() const;
  bool is_valid(std::int64_t step) const;

  std::filesystem::path folder_;
  FileOperations operations_;
  mutable std::set<std::int64_t> known_valid_;  // written or verified by this object
};

}  // namespace effuse
