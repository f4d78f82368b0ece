#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

/// Files that are whole or absent: written to a temporary name, flushed to disk, then renamed.
/// Every function throws std::system_error naming the path, ENOSPC ("No space left") included.
namespace effuse {

/// Whether a file is on the disk before it gets its name. One that is not may be there damaged
/// after a crash of the machine, not of the process: for what has a checksum and can be made again.
enum class Flush { yes, no };

/// A new file under a temporary name beside `path`; commit() makes it appear there, whole. Without
/// commit(), or where that fails, the destructor removes it.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);

  /// Flushes the file, renames it and flushes the folder.
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
  bool is_temporary_ = true;  ///< has not got its name yet
};

/// AtomicFile in one call.
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

/// The whole file.
std::string read_file(const std::filesystem::path& path);

/// Flushes a file's, or a folder's, state to the disk.
void sync_to_disk(const std::filesystem::path& path);

/// Renames `from` to `to`, replacing it, and flushes the folder of `to`.
void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

/// Makes `link` a symbolic link to `target` (relative to the folder of `link`) in one step.
void point_link_at(const std::filesystem::path& link, const std::filesystem::path& target);

/// A name for a temporary sibling of `path`, unique to this process: ".<name>.tmp-<pid>".
std::filesystem::path temporary_sibling(const std::filesystem::path& path);

/// Whether `path` has a name as temporary_sibling() makes them, of any process.
bool is_temporary_name(const std::filesystem::path& path);

}  // namespace effuse
