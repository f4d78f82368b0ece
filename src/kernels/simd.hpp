#pragma once

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "kernels/processor.hpp"

/// Vectors of w numbers as GCC and Clang have them: operators work element by element, and become
/// the instructions of the set that the calling loop is compiled for (processor.hpp).
namespace effuse {

template <int w>
struct VectorOf {
  // GCC 12 overlooks the attribute in a using-declaration of a template.
  typedef float Floats __attribute__((vector_size(4 * w)));
  typedef std::int32_t Integers __attribute__((vector_size(4 * w)));
  typedef std::uint32_t Words __attribute__((vector_size(4 * w)));
  typedef std::uint16_t HalfWords __attribute__((vector_size(2 * w)));
};

template <int w>
using Floats = typename VectorOf<w>::Floats;

/// Bits of one vector type as another.
template <class To, class From>
EFFUSE_INLINE inline To bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &from, sizeof(to));
  return to;
}

template <int w>
EFFUSE_INLINE inline Floats<w> all_of(float x) {
  return x - Floats<w>{};
}

template <int w>
EFFUSE_INLINE inline Floats<w> load(const float* from) {
  Floats<w> x;
  __builtin_memcpy(&x, from, sizeof(x));
  return x;
}

template <int w>
EFFUSE_INLINE inline void store(float* to, Floats<w> x) {
  __builtin_memcpy(to, &x, sizeof(x));
}

template <int w>
EFFUSE_INLINE inline Floats<w> load(const c10::BFloat16* from) {
  typename VectorOf<w>::HalfWords halves;
  __builtin_memcpy(&halves, from, sizeof(halves));
  const auto words = __builtin_convertvector(halves, typename VectorOf<w>::Words);
  return bits_as<Floats<w>>(words << 16);
}

/// To nearest even; the number is in the upper halves of the words.
template <int w>
EFFUSE_INLINE inline typename VectorOf<w>::Words rounded_to_bf16(Floats<w> x) {
  using Words = typename VectorOf<w>::Words;
  const auto words = bits_as<Words>(x);
  const Words rounded = words + 0x7fff + ((words >> 16) & 1);
  return x == x ? rounded : (rounded & 0) + 0x7fc00000;
}

template <int w>
EFFUSE_INLINE inline void store(c10::BFloat16* to, Floats<w> x) {
  const auto words = rounded_to_bf16<w>(x) >> 16;
  const auto halves = __builtin_convertvector(words, typename VectorOf<w>::HalfWords);
  __builtin_memcpy(to, &halves, sizeof(halves));
}

template <int w>
EFFUSE_INLINE inline Floats<w> load(const c10::Half* from) {
  Floats<w> x;
  for (int i = 0; i < w; ++i) x[i] = static_cast<float>(from[i]);
  return x;
}

template <int w>
EFFUSE_INLINE inline void store(c10::Half* to, Floats<w> x) {
  for (int i = 0; i < w; ++i) to[i] = static_cast<c10::Half>(x[i]);
}

/// 2 w numbers where the order does not matter, as long as all that goes with them comes in the
/// same: bf16 then needs no shuffling, since each 32 bits of memory hold a number of `a` and one of
/// `b`.
template <int w>
struct Two {
  Floats<w> a, b;
};

template <int w>
EFFUSE_INLINE inline Two<w> load_two(const float* from) {
  return {load<w>(from), load<w>(from + w)};
}

template <int w>
EFFUSE_INLINE inline void store_two(float* to, Two<w> x) {
  store<w>(to, x.a);
  store<w>(to + w, x.b);
}

template <int w>
EFFUSE_INLINE inline Two<w> load_two(const c10::BFloat16* from) {
  typename VectorOf<w>::Words words;
  __builtin_memcpy(&words, from, sizeof(words));
  return {bits_as<Floats<w>>(words << 16), bits_as<Floats<w>>(words & 0xffff0000U)};
}

template <int w>
EFFUSE_INLINE inline void store_two(c10::BFloat16* to, Two<w> x) {
  const auto words = (rounded_to_bf16<w>(x.a) >> 16) | (rounded_to_bf16<w>(x.b) & 0xffff0000U);
  __builtin_memcpy(to, &words, sizeof(words));
}

/// The first `count` of 2 w numbers; the others are zero.
template <int w, class T>
EFFUSE_INLINE inline Two<w> load_some(const T* from, std::int64_t count) {
  T padded[2 * w] = {};
  std::copy_n(from, count, padded);
  return load_two<w>(padded);
}

template <int w, class T>
EFFUSE_INLINE inline void store_some(T* to, Two<w> x, std::int64_t count) {
  T padded[2 * w];
  store_two<w>(padded, x);
  std::copy_n(padded, count, to);
}

/// 2^x within 2 units of the last place for x < 127, and exactly 1 for 0; x below -126 counts as
/// -126. NaN stays NaN where it is the quiet one without payload, as arithmetic makes it.
template <int w>
EFFUSE_INLINE inline Floats<w> exp2_of(Floats<w> x) {
  using Integers = typename VectorOf<w>::Integers;
  // Adding it leaves the integer nearest to x in the lowest bits.
  constexpr float kShift = 12582912.0F;  // 1.5 * 2^23
  constexpr Floats<w> kLeast = Floats<w>{} - 126.0F;
  x = kLeast > x ? kLeast : x;  // in this order NaN stays, and it is one instruction
  const Floats<w> shifted = x + kShift;
  const Floats<w> f = x - (shifted - kShift);
  // The polynomial of degree 5 with p(0) = 1 of least relative error to 2^f in [-1/2, 1/2].
  Floats<w> p = f * 0.0013264708686619997F + 0.009671511128544807F;
  p = p * f + 0.05550733953714371F;
  p = p * f + 0.24022242426872253F;
  p = p * f + 0.6931470036506653F;
  p = p * f + 1.0F;
  return bits_as<Floats<w>>(bits_as<Integers>(p) + (bits_as<Integers>(shifted) << 23));
}

/// One step of sums_of(): a and b hold sums in groups of `group` partial sums each; the result
/// holds those of a, then those of b, in groups of half the size.
template <int w, int group, int... lane>
EFFUSE_INLINE inline Floats<w> fold(Floats<w> a, Floats<w> b, std::integer_sequence<int, lane...>) {
  constexpr auto from = [](int i) {
    const int place = i % (w / 2);
    return i / (w / 2) * w + place / (group / 2) * group + place % (group / 2);
  };
  return __builtin_shufflevector(a, b, from(lane)...) +
         __builtin_shufflevector(a, b, (from(lane) + group / 2)...);
}

/// Element i of the result is the sum of all elements of x[i], from x[0] to x[w - 1].
template <int w, int group = w>
EFFUSE_INLINE inline Floats<w> sums_of(const Floats<w>* x) {
  if constexpr (group == 1) {
    return x[0];
  } else {
    Floats<w> folded[group / 2];
    for (int i = 0; i < group / 2; ++i) {
      folded[i] = fold<w, group>(x[2 * i], x[2 * i + 1], std::make_integer_sequence<int, w>{});
    }
    return sums_of<w, group / 2>(folded);
  }
}

}  // namespace effuse
