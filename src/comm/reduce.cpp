#include "comm/reduce.hpp"

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>

#include "core/error.hpp"

namespace effuse {
namespace {

constexpr std::size_t kTile = 2048;

template <class T>
constexpr bool kIsHalf = std::is_same_v<T, c10::BFloat16> || std::is_same_v<T, c10::Half>;

template <class T>
using Accumulator = std::conditional_t<kIsHalf<T>, float, T>;

template <class T, class Combine>
void reduce_tiles(std::span<const std::byte* const> parts, std::byte* out, std::size_t count,
                  Combine combine) {
  std::array<Accumulator<T>, kTile> sum;
  for (std::size_t begin = 0; begin < count; begin += kTile) {
    const std::size_t size = std::min(kTile, count - begin);
    const auto* first = reinterpret_cast<const T*>(parts[0]) + begin;
    for (std::size_t i = 0; i < size; ++i) sum[i] = static_cast<Accumulator<T>>(first[i]);
    for (const std::byte* part : parts.subspan(1)) {
      const auto* next = reinterpret_cast<const T*>(part) + begin;
      for (std::size_t i = 0; i < size; ++i) {
        sum[i] = combine(sum[i], static_cast<Accumulator<T>>(next[i]));
      }
    }
    auto* result = reinterpret_cast<T*>(out) + begin;
    for (std::size_t i = 0; i < size; ++i) result[i] = static_cast<T>(sum[i]);
  }
}

/// max and min keep a NaN once there is one, from either side.
template <class T>
void reduce_as(ReduceOp op, std::span<const std::byte* const> parts, std::byte* out,
               std::size_t count) {
  using A = Accumulator<T>;
  switch (op) {
    case ReduceOp::sum:
      return reduce_tiles<T>(parts, out, count, [](A a, A b) { return static_cast<A>(a + b); });
    case ReduceOp::max:
      return reduce_tiles<T>(parts, out, count, [](A a, A b) { return a > b || a != a ? a : b; });
    case ReduceOp::min:
      return reduce_tiles<T>(parts, out, count, [](A a, A b) { return a < b || a != a ? a : b; });
  }
}

}  // namespace

void reduce_in_order(at::ScalarType type, ReduceOp op, std::span<const std::byte* const> parts,
                     std::byte* out, std::size_t count) {
  switch (type) {
    case at::kFloat:
      return reduce_as<float>(op, parts, out, count);
    case at::kDouble:
      return reduce_as<double>(op, parts, out, count);
    case at::kBFloat16:
      return reduce_as<c10::BFloat16>(op, parts, out, count);
    case at::kHalf:
      return reduce_as<c10::Half>(op, parts, out, count);
    case at::kLong:
      return reduce_as<std::int64_t>(op, parts, out, count);
    case at::kInt:
      return reduce_as<std::int32_t>(op, parts, out, count);
    case at::kByte:
      return reduce_as<std::uint8_t>(op, parts, out, count);
    default:
      throw CommError("tensors of this type cannot be reduced");
  }
}

}  // namespace effuse
