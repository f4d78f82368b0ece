#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace effuse {

/// The members of a zip file as torch.save writes it: stored without compression, zip64 where
/// sizes ask for it. Nothing a member claims is believed before it was held against the file's
/// size, so no claim makes memory grow beyond it. Every function throws CheckpointError naming the
/// file and the member.
class ZipArchive {
 public:
  /// Reads the directory of members.
  explicit ZipArchive(std::filesystem::path path);

  /// Whether the file begins as a zip file does.
  static bool is_one(const std::filesystem::path& path);

  bool has(const std::string& name) const { return members_.contains(name); }
  std::vector<std::string> names() const;

  std::uint64_t size_bytes(const std::string& name) const;

  /// Reads a member into `out`, of exactly its size, and checks its CRC-32.
  void read(const std::string& name, std::span<std::byte> out) const;
  std::string read_text(const std::string& name) const;

 private:
  struct Member {
    std::uint64_t header_offset = 0;
    std::uint64_t size_bytes = 0;
    std::uint32_t crc32 = 0;
  };

  struct Directory {
    std::uint64_t offset = 0;
    std::uint64_t size_bytes = 0;
    std::uint64_t members = 0;
  };

  [[noreturn]] void reject(const std::string& problem) const;
  std::string bytes_at(std::uint64_t offset, std::uint64_t count) const;
  Directory find_directory() const;
  Directory find_large_directory(std::uint64_t end_offset) const;
  void read_members(const Directory& directory);
  Member member_of(const std::string& entry, const std::string& extra,
                   const std::string& name) const;
  const Member& member(const std::string& name) const;
  std::uint64_t data_offset(const Member& member, const std::string& name) const;

  std::filesystem::path path_;
  std::uint64_t file_bytes_ = 0;
  std::map<std::string, Member> members_;
};

}  // namespace effuse
