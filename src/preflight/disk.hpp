#pragma once

#include <cstdint>
#include <filesystem>

#include "preflight/places.hpp"

namespace effuse {

/// The disk of the runs' folder as one rank sees it.
struct DiskFacts {
  std::string error;
  std::uint64_t free_bytes = 0;
  std::uint64_t written_bytes = 0;
  double seconds = 0.0;  ///< of writing and flushing them
};

/// What is expected of it.
struct DiskWishes {
  std::uint64_t written_bytes = 0;
  std::uint64_t free_bytes = 0;
};

/// Writes a new file of `size_bytes` in `folder`, of bytes that cannot be compressed, and flushes
/// it to the disk. The file has no name, so that nothing of it remains, even where this process is
/// killed. Returns the seconds it took. Throws std::system_error.
double try_writing(const std::filesystem::path& folder, std::uint64_t size_bytes);

/// Whether every rank can write, and enough.
Finding judge_disk(const Places& places, const std::string& folder, const DiskWishes& wishes,
                   const std::vector<DiskFacts>& facts);

/// Collective. One rank of each host writes `wishes.written_bytes`, all at once; the others write a
/// few.
Finding check_disk(Communicator& comm, const Places& places, const std::string& folder,
                   const DiskWishes& wishes);

}  // namespace effuse
