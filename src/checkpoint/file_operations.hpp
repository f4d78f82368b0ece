#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/checksum.hpp"

namespace effuse {

/// The ways in which a save changes the disk.
enum class FileOperation { make_folder, create, write, sync, rename, exchange, link, remove };

const char* name_of(FileOperation operation);

/// Called before each operation of a save with what is about to happen and where. A hook that
/// throws std::system_error makes that operation fail so; one that ends the process is a kill at
/// that point. Tests and drills use it to fail at the n-th operation, for every n.
using FileHook = std::function<void(FileOperation, const std::filesystem::path&)>;

/// The one way by which a save touches the disk. Every function throws std::system_error naming
/// the path.
class FileOperations {
 public:
  explicit FileOperations(FileHook hook = {}) : hook_(std::move(hook)) {}

  /// Makes the folder and those above it that are missing.
  void make_folder(const std::filesystem::path& path) const;

  /// Flushes a file or a folder to the disk.
  void sync(const std::filesystem::path& path) const;

  void rename(const std::filesystem::path& from, const std::filesystem::path& to) const;

  /// Swaps two names in one step (RENAME_EXCHANGE). False where the file system cannot.
  bool exchange(const std::filesystem::path& a, const std::filesystem::path& b) const;

  void make_link(const std::filesystem::path& link, const std::filesystem::path& target) const;

  /// Removes a file, or a folder with what is in it; nothing where there is neither.
  void remove_all(const std::filesystem::path& path) const;

  /// Tells the hook.
  void announce(FileOperation operation, const std::filesystem::path& path) const;

 private:
  FileHook hook_;
};

/// What a manifest says of a file.
struct FileRecord {
  std::uint64_t size_bytes = 0;
  std::string sha256;  ///< 64 lower-case hexadecimal digits

  bool operator==(const FileRecord&) const = default;
};

/// A new file whose size and SHA-256 are known as soon as it is written.
class OutputFile {
 public:
  /// `operations` must outlive this object.
  OutputFile(std::filesystem::path path, const FileOperations& operations);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);

  /// Flushes to the disk and closes.
  FileRecord finish();

 private:
  std::filesystem::path path_;
  const FileOperations& operations_;
  int descriptor_ = -1;
  std::uint64_t size_bytes_ = 0;
  Sha256 hash_;
};

}  // namespace effuse
