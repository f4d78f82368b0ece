#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "metrics/registry.hpp"

namespace effuse {

/// What tells one job from others before Prometheus, and in the folders that a site's jobs share.
class JobIdentity {
 public:
  /// Of `program` (effuse-train), at the run or set of images `name` in `folder`, of which `mark`
  /// is the mark_of_folder().
  JobIdentity(std::string program, std::string name, const std::filesystem::path& folder,
              std::string_view mark);

  /// Of the targets, and of final values: job (the program), user, run, rank, under Slurm
  /// slurm_job.
  metrics::Labels labels(int rank) const;

  /// What names of its files begin with, a dot after it: "effuse-train.alice.faces.1f2e3d4c". The
  /// same for all attempts at a run, by whatever path it is reached; another for one of the same
  /// name that lies elsewhere.
  std::string file_name() const;

  /// Warns where `targets` has files of another job of this program, user and name: Prometheus
  /// would take the two for one.
  void warn_of_namesake(const std::filesystem::path& targets) const;

 private:
  std::string program_, user_, name_, hash_;
};

/// A number drawn when a folder is first worked in, kept in `file`: what tells it from a folder of
/// the same path on another node's disk. Where it cannot be kept, one that holds for this time
/// only.
std::string mark_of_folder(const std::filesystem::path& file);

}  // namespace effuse
