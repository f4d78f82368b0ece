#include "exchange/pickle_cursor.hpp"

#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {

PickleCursor::PickleCursor(std::string_view bytes, std::string where)
    : bytes_(bytes), where_(std::move(where)) {}

void PickleCursor::reject(const std::string& problem) const {
  throw CheckpointError(cat(where_, " is no pickle of weights: ", problem, " at byte ",
                            instruction_place_, " (nothing in the file was executed)"));
}

unsigned char PickleCursor::instruction() {
  instruction_place_ = place_;
  return static_cast<unsigned char>(take(1)[0]);
}

std::string_view PickleCursor::take(std::size_t count) {
  if (count > left()) reject("it ends in the middle of an instruction");
  const std::string_view taken = bytes_.substr(place_, count);
  place_ += count;
  return taken;
}

std::uint64_t PickleCursor::unsigned_number(std::size_t count) {
  std::uint64_t value = 0;
  const std::string_view taken = take(count);
  for (std::size_t i = 0; i < count; ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(taken[i])} << (8 * i);
  }
  return value;
}

std::int64_t PickleCursor::signed_number(std::uint64_t count) {
  if (count > 8) reject("an integer of more than 64 bits");
  if (count == 0) return 0;
  std::uint64_t value = unsigned_number(count);
  const bool negative = (value >> (8 * count - 1) & 1) != 0;
  if (negative && count < 8) value |= ~std::uint64_t{0} << (8 * count);
  return static_cast<std::int64_t>(value);
}

std::string PickleCursor::text(std::size_t length_bytes) {
  return std::string(take(unsigned_number(length_bytes)));
}

std::string PickleCursor::line() {
  const std::size_t end = bytes_.find('\n', place_);
  if (end == std::string_view::npos) reject("it ends in the middle of a name");
  std::string text(take(end - place_));
  take(1);
  return text;
}

}  // namespace effuse
