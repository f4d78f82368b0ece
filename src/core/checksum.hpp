#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace effuse {

/// CRC-32C (Castagnoli, RFC 3720), as iSCSI, SSE 4.2 and Python's google-crc32c compute it:
/// of "123456789" it is 0xE3069283.
std::uint32_t crc32c(std::span<const std::byte> bytes);

/// CRC-32 of IEEE 802.3, as zip files have it: of "123456789" it is 0xCBF43926.
std::uint32_t crc32(std::span<const std::byte> bytes);

/// SHA-256 of a stream of bytes.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::span<const std::byte> bytes);

  /// The digest as 64 lower-case hexadecimal digits. Ends the stream.
  std::string hex_digest();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string sha256_of(std::string_view text);

/// Throws std::system_error where the file cannot be read.
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace effuse
