#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <limits>

#include "kernels/attention_loops.hpp"
#include "kernels/attention_rows.hpp"

/// Vectors run over keys, whose gradients then need no reduction. Those of the queries are sums
/// over keys, of what a tile of queries and keys left behind.
namespace effuse {
namespace {

constexpr std::int64_t kQueryTile = 32;
constexpr std::int64_t kKeyTile = 512;
constexpr std::int64_t kPadding = 16;  ///< a multiple of all widths of vectors
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// One head in fp32. L is padded to kPadding with zeros.
struct Head {
  std::int64_t length;  ///< without padding
  float* q;             ///< [L, width], times the scale in units of log 2
  float* grad_out;      ///< [L, width]
  float* delta;         ///< [L] sum over a row of out * grad_out
  float* log_sums;      ///< [L]
  float *k, *v;         ///< lanes of [L, width]
  float *grad_k, *grad_v;
  float* grad_q;  ///< [L, width]
  float* tile;    ///< [kQueryTile, kKeyTile] gradients of the scores
};

template <int width>
constexpr std::int64_t scratch_size(std::int64_t length) {
  const std::int64_t padded = round_up(length, kPadding);
  return 7 * padded * width + 2 * padded + kQueryTile * kKeyTile;
}

template <int width>
Head head_in(float* scratch, std::int64_t length) {
  const std::int64_t padded = round_up(length, kPadding);
  const auto take = [&](std::int64_t count) {
    float* const taken = scratch;
    scratch += count;
    return taken;
  };
  const std::int64_t rows = padded * width;
  // In the order of the members.
  return {length,
          take(rows),
          take(rows),
          take(padded),
          take(padded),
          take(rows),
          take(rows),
          take(rows),
          take(rows),
          take(rows),
          take(kQueryTile * kKeyTile)};
}

/// w keys, from `key`, against the queries first … first + count - 1: adds to the gradients of the
/// keys and values, and writes those of the scores to rows of `tile`.
template <int w, int width, int unroll>
EFFUSE_INLINE inline void add_keys(const Head& head, std::int64_t key, std::int64_t first,
                                   std::int64_t count, float* tile) {
  const std::int64_t at = key * width;
  Floats<w> bias = {};
  for (int i = 0; i < w; ++i) {
    if (key + i >= head.length) bias[i] = -kInfinity;
  }
  for (std::int64_t row = first; row < first + count; row += unroll) {
    const float* const q = head.q + row * width;
    const float* const grad_out = head.grad_out + row * width;
    Floats<w> p[unroll], ds[unroll];
    for (int j = 0; j < unroll; ++j) {
      p[j] = bias;
      ds[j] = Floats<w>{} - head.delta[row + j];
    }
    for (int d = 0; d < width; ++d) {
      const Floats<w> k = load<w>(head.k + at + d * w), v = load<w>(head.v + at + d * w);
      for (int j = 0; j < unroll; ++j) {
        p[j] += k * q[j * width + d];
        ds[j] += v * grad_out[j * width + d];
      }
    }
    for (int j = 0; j < unroll; ++j) {
      // The sum of products is that of the forward pass to the last bit: its maximum is no less.
      p[j] = exp2_of<w>(p[j] - head.log_sums[row + j]);
      ds[j] *= p[j];
      store<w>(tile + (row - first + j) * kKeyTile, ds[j]);
    }
    for (int d = 0; d < width; ++d) {
      Floats<w> k = load<w>(head.grad_k + at + d * w), v = load<w>(head.grad_v + at + d * w);
      for (int j = 0; j < unroll; ++j) {
        k += ds[j] * q[j * width + d];
        v += p[j] * grad_out[j * width + d];
      }
      store<w>(head.grad_k + at + d * w, k);
      store<w>(head.grad_v + at + d * w, v);
    }
  }
}

/// Adds the tile's rows times the keys to the gradients of the queries.
template <int w, int width>
EFFUSE_INLINE inline void add_to_queries(const Head& head, std::int64_t first, std::int64_t count,
                                         std::int64_t key, std::int64_t keys) {
  // As many sums as a vector has elements: `across` numbers of each of `rows` queries.
  constexpr int across = w < width ? w : width, rows = w / across;
  for (std::int64_t row = 0; row < count; row += rows) {
    for (int d = 0; d < width; d += across) {
      Floats<w> sums[w] = {};
      for (std::int64_t i = 0; i < keys; i += w) {
        const float* const k = head.k + (key + i) * width + d * w;
        Floats<w> ds[rows];
        for (int r = 0; r < rows; ++r) ds[r] = load<w>(head.tile + (row + r) * kKeyTile + i);
        for (int e = 0; e < across; ++e) {
          const Floats<w> x = load<w>(k + e * w);
          for (int r = 0; r < rows; ++r) sums[r * across + e] += ds[r] * x;
        }
      }
      float* const out = head.grad_q + (first + row) * width + d;
      store<w>(out, load<w>(out) + sums_of<w>(sums));
    }
  }
}

template <int w, int width>
EFFUSE_INLINE inline void add_gradients(const Head& head) {
  constexpr int unroll = w == 16 ? 8 : 4;
  const std::int64_t padded = round_up(head.length, kPadding);
  for (std::int64_t key = 0; key < padded; key += kKeyTile) {
    const std::int64_t keys = std::min(kKeyTile, padded - key);
    for (std::int64_t row = 0; row < padded; row += kQueryTile) {
      const std::int64_t rows = std::min(kQueryTile, padded - row);
      for (std::int64_t i = 0; i < keys; i += w) {
        add_keys<w, width, unroll>(head, key + i, row, rows, head.tile + i);
      }
      add_to_queries<w, width>(head, row, rows, key, keys);
    }
  }
}

/// Reads one head and sets its gradients to zero; what is transposed passes through `grad_k`.
template <int width>
void read_head(const AttentionInputs& inputs, const at::Tensor& out, const at::Tensor& log_sums,
               const at::Tensor& grad_out, std::int64_t number, const Head& head) {
  const std::int64_t length = head.length, padded = round_up(length, kPadding);
  const float factor = static_cast<float>(inputs.scale * 1.4426950408889634);  // log2(e)
  read_rows({inputs.q, number, 0, length}, padded, factor, head.q);
  read_rows({grad_out, number, 0, length}, padded, 1.0F, head.grad_out);
  read_rows({out, number, 0, length}, padded, 1.0F, head.grad_q);
  read_rows({inputs.k, number, 0, length}, padded, 1.0F, head.grad_k);
  read_rows({inputs.v, number, 0, length}, padded, 1.0F, head.grad_v);
  std::copy_n(log_sums.data_ptr<float>() + number * length, length, head.log_sums);
  std::fill(head.log_sums + length, head.log_sums + padded, 0.0F);
  for_this_processor([&, padded](auto w) EFFUSE_INLINE {
    for (std::int64_t i = 0; i < padded; ++i) {
      Floats<8> sum = {};
      for (int d = 0; d < width; d += 8) {
        sum += load<8>(head.grad_q + i * width + d) * load<8>(head.grad_out + i * width + d);
      }
      head.delta[i] = sum[0] + sum[1] + sum[2] + sum[3] + sum[4] + sum[5] + sum[6] + sum[7];
    }
    rows_to_lanes<w(), width>(head.grad_k, padded, head.k);
    rows_to_lanes<w(), width>(head.grad_v, padded, head.v);
  });
  // They lie side by side.
  std::fill_n(head.grad_k, 3 * padded * width, 0.0F);
}

/// Writes the gradients; `q` and `k`, used up, serve as scratch.
template <int width>
void write_head(const Head& head, double scale, std::int64_t number,
                const AttentionGradients& gradients) {
  const std::int64_t length = head.length, padded = round_up(length, kPadding);
  for_this_processor([&, padded](auto w) EFFUSE_INLINE {
    lanes_to_rows<w(), width>(head.grad_k, padded, head.q);
    lanes_to_rows<w(), width>(head.grad_v, padded, head.k);
  });
  constexpr float kLog2 = 0.6931471805599453F;
  write_rows(head.grad_q, static_cast<float>(scale), {gradients.q, number, 0, length});
  write_rows(head.q, kLog2, {gradients.k, number, 0, length});
  write_rows(head.k, 1.0F, {gradients.v, number, 0, length});
}

template <int width>
void backward(const AttentionInputs& inputs, const at::Tensor& out, const at::Tensor& log_sums,
              const at::Tensor& grad_out, const AttentionGradients& gradients) {
  const std::int64_t length = inputs.q.size(2), heads = inputs.q.size(0) * inputs.q.size(1);
  at::parallel_for(0, heads, 1, [&](std::int64_t begin, std::int64_t end) {
    const at::Tensor scratch = at::empty({scratch_size<width>(length)}, at::kFloat);
    const Head head = head_in<width>(scratch.data_ptr<float>(), length);
    for (std::int64_t i = begin; i < end; ++i) {
      read_head<width>(inputs, out, log_sums, grad_out, i, head);
      for_this_processor([head](auto w) EFFUSE_INLINE { add_gradients<w(), width>(head); });
      write_head<width>(head, inputs.scale, i, gradients);
    }
  });
}

}  // namespace

void attention_backward(const AttentionInputs& inputs, const at::Tensor& out,
                        const at::Tensor& log_sums, const at::Tensor& grad_out,
                        const AttentionGradients& gradients) {
  for_width_of(inputs.q.size(3),
               [&](auto width) { backward<width()>(inputs, out, log_sums, grad_out, gradients); });
}

}  // namespace effuse
