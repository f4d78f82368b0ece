#include "kernels/fused_update.hpp"

#include <ATen/Parallel.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/processor.hpp"

namespace effuse {
namespace {

/// Elements that go through all stages together, so that they are still in the first-level cache;
/// also what threads share out, so that vectors begin at the same elements at any number of
/// threads.
constexpr std::int64_t kTile = 1024;
constexpr std::int64_t kTilesPerTask = 16;

template <class T>
struct Adam {
  Adam(const AdamArguments& a, T* m, T* v)
      : moment(m),
        square(v),
        gradient_decay(a.decay == Decay::gradient ? static_cast<T>(a.weight_decay) : T(0)),
        keep(a.decay == Decay::weights ? static_cast<T>(1.0 - a.lr * a.weight_decay) : T(1)),
        moment_weight(static_cast<T>(1.0 - a.beta1)),
        beta2(static_cast<T>(a.beta2)),
        square_weight(static_cast<T>(1.0 - a.beta2)),
        step_size(static_cast<T>(a.lr / (1.0 - std::pow(a.beta1, static_cast<double>(a.step))))),
        correction(static_cast<T>(std::sqrt(1.0 - std::pow(a.beta2, static_cast<double>(a.step))))),
        eps(static_cast<T>(a.eps)) {}

  EFFUSE_INLINE void step(T* __restrict p, const T* __restrict g, T factor, std::int64_t begin,
                          std::int64_t count) const {
    T* __restrict const m = moment + begin;
    T* __restrict const v = square + begin;
    const Adam c = *this;
    for (std::int64_t i = 0; i < count; ++i) {
      const T weight = p[i] * c.keep;
      const T gradient = g[i] * factor + weight * c.gradient_decay;
      const T first = m[i] + (gradient - m[i]) * c.moment_weight;
      const T second = v[i] * c.beta2 + c.square_weight * gradient * gradient;
      m[i] = first;
      v[i] = second;
      p[i] = weight - c.step_size * first / (std::sqrt(second) / c.correction + c.eps);
    }
  }

  T* moment;
  T* square;
  T gradient_decay, keep, moment_weight, beta2, square_weight, step_size, correction, eps;
};

template <class T>
struct Sgd {
  EFFUSE_INLINE void step(T* __restrict p, const T* __restrict g, T factor, std::int64_t begin,
                          std::int64_t count) const {
    const T decay = static_cast<T>(weight_decay), rate = static_cast<T>(lr);
    if (buffer == nullptr) {
      for (std::int64_t i = 0; i < count; ++i) p[i] -= rate * (g[i] * factor + p[i] * decay);
      return;
    }
    T* __restrict const b = buffer + begin;
    const T keep = static_cast<T>(momentum);
    for (std::int64_t i = 0; i < count; ++i) {
      b[i] = b[i] * keep + (g[i] * factor + p[i] * decay);
      p[i] -= rate * b[i];
    }
  }

  T* buffer;  ///< nullptr without momentum
  double lr, momentum, weight_decay;
};

/// at::lerp's arithmetic: exact at both ends.
template <class T>
EFFUSE_INLINE inline void mix(T* __restrict average, const T* __restrict p, T weight,
                              std::int64_t count) {
  const T rest = T(1) - weight;
  if (weight < T(0.5)) {
    for (std::int64_t i = 0; i < count; ++i) average[i] += weight * (p[i] - average[i]);
  } else {
    for (std::int64_t i = 0; i < count; ++i) average[i] = p[i] - (p[i] - average[i]) * rest;
  }
}

template <class Half, class T>
EFFUSE_INLINE inline void round_to(Half* __restrict out, const T* __restrict p,
                                   std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<Half>(static_cast<float>(p[i]));
}

template <class T>
T* data_of(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.mutable_data_ptr<T>() : nullptr;
}

/// The pass, with `optimiser` for the arithmetic of its own.
template <class T, class Optimiser>
void pass(const at::Tensor& parameters, const at::Tensor& gradients, const Optimiser& optimiser,
          const UpdateExtras& extras) {
  T* const p = data_of<T>(parameters);
  T* const g = data_of<T>(gradients);
  T* const average = data_of<T>(extras.average);
  const bool copies = extras.copy.defined();
  const bool to_bf16 = copies && extras.copy.scalar_type() == at::kBFloat16;
  auto* const bf16 = to_bf16 ? data_of<c10::BFloat16>(extras.copy) : nullptr;
  auto* const fp16 = copies && !to_bf16 ? data_of<c10::Half>(extras.copy) : nullptr;
  const T factor = static_cast<T>(extras.grad_factor);
  const T weight = static_cast<T>(extras.average_weight);
  const bool clear = extras.clear_gradients;
  const std::int64_t size = parameters.numel();

  at::parallel_for(0, (size + kTile - 1) / kTile, kTilesPerTask,
                   [&](std::int64_t first, std::int64_t last) {
                     for_this_processor([&](auto) EFFUSE_INLINE {
                       for (std::int64_t begin = first * kTile;
                            begin < std::min(size, last * kTile); begin += kTile) {
                         const std::int64_t count = std::min(kTile, size - begin);
                         optimiser.step(p + begin, g + begin, factor, begin, count);
                         if (average != nullptr) mix(average + begin, p + begin, weight, count);
                         if (clear) std::fill_n(g + begin, count, T(0));
                         if (bf16 != nullptr) round_to(bf16 + begin, p + begin, count);
                         if (fp16 != nullptr) round_to(fp16 + begin, p + begin, count);
                       }
                     });
                   });
}

void require(const at::Tensor& tensor, const at::Tensor& parameters, bool type_fits,
             const char* name) {
  if (type_fits && tensor.device().is_cpu() && tensor.is_contiguous() &&
      tensor.sizes() == parameters.sizes()) {
    return;
  }
  throw Error(cat("the ", name,
                  " of the fused update do not fit the parameters (one pass goes over "
                  "all of them). Give contiguous CPU tensors of the same size and type."));
}

void require_like(const at::Tensor& tensor, const at::Tensor& parameters, const char* name) {
  require(tensor, parameters, tensor.scalar_type() == parameters.scalar_type(), name);
}

/// Throws Error unless all have the size and type that the pass reads them as.
void check(const at::Tensor& parameters, const at::Tensor& gradients, const UpdateExtras& extras) {
  const at::ScalarType type = parameters.scalar_type();
  require(parameters, parameters, type == at::kFloat || type == at::kDouble, "parameters");
  require_like(gradients, parameters, "gradients");
  if (extras.average.defined()) require_like(extras.average, parameters, "averages");
  if (extras.copy.defined()) {
    const at::ScalarType half = extras.copy.scalar_type();
    require(extras.copy, parameters, half == at::kBFloat16 || half == at::kHalf, "copies");
  }
}

}  // namespace

void adam_update(const at::Tensor& parameters, const at::Tensor& gradients,
                 const at::Tensor& exp_avg, const at::Tensor& exp_avg_sq,
                 const AdamArguments& arguments, const UpdateExtras& extras) {
  check(parameters, gradients, extras);
  require_like(exp_avg, parameters, "moments");
  require_like(exp_avg_sq, parameters, "moments");
  const auto run = [&]<class T>(T) {
    const Adam<T> adam(arguments, data_of<T>(exp_avg), data_of<T>(exp_avg_sq));
    pass<T>(parameters, gradients, adam, extras);
  };
  parameters.scalar_type() == at::kDouble ? run(0.0) : run(0.0F);
}

void sgd_update(const at::Tensor& parameters, const at::Tensor& gradients,
                const at::Tensor& momentum_buffer, const SgdArguments& arguments,
                const UpdateExtras& extras) {
  check(parameters, gradients, extras);
  if (momentum_buffer.defined()) require_like(momentum_buffer, parameters, "momentum buffers");
  const auto run = [&]<class T>(T) {
    const Sgd<T> sgd{data_of<T>(momentum_buffer), arguments.lr, arguments.momentum,
                     arguments.weight_decay};
    pass<T>(parameters, gradients, sgd, extras);
  };
  parameters.scalar_type() == at::kDouble ? run(0.0) : run(0.0F);
}

}  // namespace effuse
