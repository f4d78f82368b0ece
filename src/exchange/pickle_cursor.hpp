#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace effuse {

/// Goes through the bytes of a pickle, from instruction to instruction. What is taken is there, or
/// CheckpointError is thrown.
class PickleCursor {
 public:
  /// `bytes` must outlive this object; `where` begins messages.
  PickleCursor(std::string_view bytes, std::string where);

  /// Takes the next instruction; messages name its place from here on.
  unsigned char instruction();

  std::string_view take(std::size_t count);
  std::uint64_t unsigned_number(std::size_t count);  ///< little-endian, 0 to 8 bytes
  std::int64_t signed_number(std::uint64_t count);   ///< two's complement, any number of bytes
  std::string text(std::size_t length_bytes);        ///< after its length, of so many bytes
  std::string line();                                ///< up to a newline
  std::size_t place() const { return place_; }
  std::size_t left() const { return bytes_.size() - place_; }

  /// Throws CheckpointError: what is wrong, at which byte.
  [[noreturn]] void reject(const std::string& problem) const;

 private:
  std::string_view bytes_;
  std::string where_;
  std::size_t place_ = 0;
  std::size_t instruction_place_ = 0;
};

}  // namespace effuse
