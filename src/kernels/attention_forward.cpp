#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>
#include <limits>

#include "kernels/attention_loops.hpp"
#include "kernels/attention_rows.hpp"

/// Vectors run over queries: a row's maximum and sum need no reduction, and a key's numbers are
/// read as scalars. Keys come in tiles, as in FlashAttention (Dao et al. 2022), whose weights stay
/// in the first-level cache.
namespace effuse {
namespace {

constexpr std::int64_t kKeyTile = 128;
/// Queries that a thread takes at once: a multiple of all widths of vectors.
constexpr std::int64_t kQueriesPerTask = 256;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Memory of one thread, in fp32. L is padded to a multiple of 8 with zeros.
template <int width>
struct Scratch {
  explicit Scratch(std::int64_t length)
      : padded(round_up(length, 8)),
        memory(
            at::empty({(2 * padded + kQueriesPerTask + 16) * width + 16 * kKeyTile}, at::kFloat)),
        keys(memory.data_ptr<float>()),
        values(keys + padded * width),
        rows(values + padded * width),
        query(rows + kQueriesPerTask * width),
        scores(query + 16 * width) {}

  std::int64_t padded;
  at::Tensor memory;      ///< begins, as all its parts do, on a cache line
  float *keys, *values;   ///< [L, width]
  float* rows;            ///< [kQueriesPerTask, width]: queries, then their results
  float *query, *scores;  ///< of w queries at a time, and of a tile of keys: lanes
};

/// A tile of keys.
struct Tile {
  const float* keys;
  const float* values;
  std::int64_t count;
};

/// What the keys so far came to, for w queries.
template <int w, int width>
struct State {
  Floats<w> maximum = all_of<w>(-kInfinity);
  Floats<w> sum = {};
  Floats<w> weighted[width] = {};  ///< sums of values
};

/// scores[k] = query · key k, in units of log 2; returns their maximum.
template <int w, int width, int unroll>
EFFUSE_INLINE inline Floats<w> score(const float* query, const Tile& tile, float* scores) {
  Floats<w> maximum = all_of<w>(-kInfinity);
  for (std::int64_t first = 0; first < tile.count; first += unroll) {
    const float* const keys = tile.keys + first * width;
    Floats<w> s[unroll] = {};
    for (int d = 0; d < width; ++d) {
      const Floats<w> x = load<w>(query + d * w);
      for (int j = 0; j < unroll; ++j) s[j] += x * keys[j * width + d];
    }
    if (tile.count - first < unroll) {
      for (int j = 0; j < unroll; ++j) {
        if (first + j >= tile.count) s[j] = all_of<w>(-kInfinity);
      }
    }
    for (int j = 0; j < unroll; ++j) {
      store<w>(scores + (first + j) * w, s[j]);
      maximum = s[j] > maximum ? s[j] : maximum;
    }
  }
  return maximum;
}

template <int w, int width, int unroll>
EFFUSE_INLINE inline void add_tile(const float* query, const Tile& tile, float* scores,
                                   State<w, width>& state) {
  const Floats<w> in_tile = score<w, width, unroll>(query, tile, scores);
  const Floats<w> maximum = state.maximum < in_tile ? in_tile : state.maximum;
  const Floats<w> rescale = exp2_of<w>(state.maximum - maximum);
  state.maximum = maximum;
  state.sum *= rescale;
  for (Floats<w>& x : state.weighted) x *= rescale;
  for (std::int64_t first = 0; first < tile.count; first += unroll) {
    const float* const values = tile.values + first * width;
    Floats<w> p[unroll];
    for (int j = 0; j < unroll; ++j) {
      p[j] = exp2_of<w>(load<w>(scores + (first + j) * w) - maximum);
      state.sum += p[j];
    }
#pragma GCC unroll 8  // of the narrowest heads, sums stay in registers
    for (int d = 0; d < width; ++d) {
      for (int j = 0; j < unroll; ++j) state.weighted[d] += p[j] * values[j * width + d];
    }
  }
}

/// Replaces the `count` queries of scratch.rows by their results; log_sums: [count].
template <int w, int width>
EFFUSE_INLINE inline void attend(const Scratch<width>& scratch, std::int64_t length,
                                 std::int64_t count, float* log_sums) {
  constexpr int unroll = w == 16 ? 8 : 4;
  for (std::int64_t i = 0; i < count; i += w) {
    float* const rows = scratch.rows + i * width;
    rows_to_lanes<w, width>(rows, w, scratch.query);
    State<w, width> state;
    for (std::int64_t k = 0; k < length; k += kKeyTile) {
      const Tile tile{scratch.keys + k * width, scratch.values + k * width,
                      std::min(kKeyTile, length - k)};
      add_tile<w, width, unroll>(scratch.query, tile, scratch.scores, state);
    }
    for (int d = 0; d < width; ++d) {
      store<w>(scratch.query + d * w, state.weighted[d] / state.sum);
    }
    lanes_to_rows<w, width>(scratch.query, w, rows);
    for (std::int64_t j = 0; j < std::min<std::int64_t>(w, count - i); ++j) {
      log_sums[i + j] = state.maximum[j] + std::log2(state.sum[j]);
    }
  }
}

template <int width>
void forward(const AttentionInputs& inputs, const at::Tensor& out, const at::Tensor& log_sums) {
  const std::int64_t length = inputs.q.size(2), heads = inputs.q.size(0) * inputs.q.size(1);
  const std::int64_t tasks_per_head = (length + kQueriesPerTask - 1) / kQueriesPerTask;
  const float factor = static_cast<float>(inputs.scale * 1.4426950408889634);  // log2(e)
  at::parallel_for(0, heads * tasks_per_head, 1, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<width> scratch(length);
    std::int64_t keys_of = -1;
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t head = i / tasks_per_head, first = i % tasks_per_head * kQueriesPerTask;
      const std::int64_t count = std::min(kQueriesPerTask, length - first);
      if (head != keys_of) {
        read_rows({inputs.k, head, 0, length}, scratch.padded, 1.0F, scratch.keys);
        read_rows({inputs.v, head, 0, length}, scratch.padded, 1.0F, scratch.values);
        keys_of = head;
      }
      read_rows({inputs.q, head, first, count}, round_up(count, 16), factor, scratch.rows);
      float* const sums = log_sums.data_ptr<float>() + head * length + first;
      for_this_processor([&, length, count](auto w)
                             EFFUSE_INLINE { attend<w(), width>(scratch, length, count, sums); });
      write_rows(scratch.rows, 1.0F, {out, head, first, count});
    }
  });
}

}  // namespace

void attention_forward(const AttentionInputs& inputs, const at::Tensor& out,
                       const at::Tensor& log_sums) {
  for_width_of(inputs.q.size(3), [&](auto width) { forward<width()>(inputs, out, log_sums); });
}

}  // namespace effuse
