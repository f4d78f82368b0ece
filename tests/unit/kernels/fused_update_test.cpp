#include "kernels/fused_update.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/error.hpp"
#include "support/error_message.hpp"
#include "unit/kernels/every_processor.hpp"

namespace effuse {
namespace {

/// More than a task of a thread, and no multiple of a tile or of a vector.
constexpr std::int64_t kSize = 3 * 16 * 1024 + 1024 + 7;

struct Buffers {
  at::Tensor parameters, gradients, first, second, average;

  Buffers clone() const {
    return {parameters.clone(), gradients.clone(), first.clone(), second.clone(), average.clone()};
  }
  std::vector<at::Tensor> all() const { return {parameters, gradients, first, second, average}; }
};

Buffers random_buffers(at::ScalarType type) {
  at::manual_seed(7);
  const auto normal = [&] { return at::randn({kSize}, type); };
  return {normal(), normal(), normal(), normal().square(), normal()};
}

/// Largest difference in units of the last place of the larger of 1 and the value.
double largest_ulps(const at::Tensor& ours, const at::Tensor& theirs) {
  const double epsilon = theirs.scalar_type() == at::kDouble
                             ? std::numeric_limits<double>::epsilon()
                             : std::numeric_limits<float>::epsilon();
  const at::Tensor unit = theirs.abs().clamp_min(1.0) * epsilon;
  return ((ours - theirs).abs() / unit).max().item<double>();
}

void expect_equal_up_to_rounding(const Buffers& ours, const Buffers& theirs) {
  EXPECT_LE(largest_ulps(ours.parameters, theirs.parameters), 2.0);
  EXPECT_TRUE(at::equal(ours.gradients, theirs.gradients));
  EXPECT_LE(largest_ulps(ours.first, theirs.first), 2.0);
  EXPECT_LE(largest_ulps(ours.second, theirs.second), 2.0);
  EXPECT_LE(largest_ulps(ours.average, theirs.average), 4.0);  // of weights that differ by 2
}

/// The passes that ours stands for, by libtorch's kernels.
void adam_in_passes(const Buffers& b, const AdamArguments& a, double grad_factor,
                    double average_weight) {
  at::Tensor(b.gradients).mul_(grad_factor);
  const at::Tensor step = at::full({}, static_cast<double>(a.step), at::kFloat);
  const auto kernel = [&](auto&& fused) {
    fused({b.parameters}, {b.gradients}, {b.first}, {b.second}, {}, {step}, a.lr, a.beta1, a.beta2,
          a.weight_decay, a.eps, false, false, std::nullopt, std::nullopt);
  };
  using Kernel =
      void (*)(at::TensorList, at::TensorList, at::TensorList, at::TensorList, at::TensorList,
               at::TensorList, double, double, double, double, double, bool, bool,
               const std::optional<at::Tensor>&, const std::optional<at::Tensor>&);
  kernel(a.decay == Decay::weights ? static_cast<Kernel>(&at::_fused_adamw_)
                                   : static_cast<Kernel>(&at::_fused_adam_));
  at::Tensor(b.average).lerp_(b.parameters, average_weight);
  at::Tensor(b.gradients).zero_();
}

class FusedUpdate : public EveryProcessor {
 protected:
  void expect_adam(AdamArguments arguments, double grad_factor, double average_weight) {
    for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
      const Buffers ours = random_buffers(type);
      const Buffers theirs = ours.clone();
      adam_update(ours.parameters, ours.gradients, ours.first, ours.second, arguments,
                  {.grad_factor = grad_factor,
                   .average = ours.average,
                   .average_weight = average_weight,
                   .clear_gradients = true});
      adam_in_passes(theirs, arguments, grad_factor, average_weight);
      SCOPED_TRACE(type);
      expect_equal_up_to_rounding(ours, theirs);
    }
  }

  void expect_sgd(const SgdArguments& arguments) {
    for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
      const Buffers ours = random_buffers(type);
      const Buffers theirs = ours.clone();
      const bool has_buffer = arguments.momentum != 0.0;
      sgd_update(ours.parameters, ours.gradients, has_buffer ? ours.first : at::Tensor(), arguments,
                 {.grad_factor = 0.5, .average = ours.average, .average_weight = 0.25});
      at::Tensor scaled = theirs.gradients.mul(0.5);
      std::vector<at::Tensor> buffers;
      if (has_buffer) buffers.push_back(theirs.first);
      at::_fused_sgd_({theirs.parameters}, {scaled}, buffers, arguments.weight_decay,
                      arguments.momentum, arguments.lr, 0.0, false, false, false);
      at::Tensor(theirs.average).lerp_(theirs.parameters, 0.25);
      expect_equal_up_to_rounding(ours, theirs);
    }
  }
};

TEST_P(FusedUpdate, IsAdamWOfLibtorch) {
  expect_adam({.lr = 0.01, .beta1 = 0.8, .weight_decay = 0.1, .step = 1}, 1.0, 0.0);
  expect_adam({.lr = 0.01, .weight_decay = 0.1, .step = 1000}, 0.37, 0.001);
  expect_adam({.lr = 0.01, .eps = 1e-3, .step = 3}, 0.37, 0.9);
}

TEST_P(FusedUpdate, IsAdamOfLibtorch) {
  expect_adam({.lr = 0.01, .weight_decay = 0.1, .decay = Decay::gradient, .step = 2}, 0.37, 0.001);
  expect_adam({.lr = 0.01, .decay = Decay::gradient, .step = 2}, 1.0, 1.0);
}

TEST_P(FusedUpdate, IsSgdOfLibtorch) {
  expect_sgd({.lr = 0.01, .momentum = 0.9, .weight_decay = 0.1});
  expect_sgd({.lr = 0.01, .momentum = 0.9});
  expect_sgd({.lr = 0.01, .weight_decay = 0.1});
}

TEST_P(FusedUpdate, WithoutLearningRateMovesNoWeight) {
  const Buffers b = random_buffers(at::kFloat);
  const Buffers before = b.clone();
  adam_update(b.parameters, b.gradients, b.first, b.second, {.lr = 0.0, .weight_decay = 0.1});
  EXPECT_TRUE(at::equal(b.parameters, before.parameters));
  EXPECT_TRUE(at::equal(b.gradients, before.gradients));
  EXPECT_FALSE(at::equal(b.first, before.first));
  sgd_update(b.parameters, b.gradients, b.first, {.lr = 0.0, .momentum = 0.9});
  EXPECT_TRUE(at::equal(b.parameters, before.parameters));
}

TEST_P(FusedUpdate, AnAverageOfWeightOneIsACopy) {
  const Buffers b = random_buffers(at::kFloat);
  adam_update(b.parameters, b.gradients, b.first, b.second, {},
              {.average = b.average, .average_weight = 1.0});
  EXPECT_TRUE(at::equal(b.average, b.parameters));
}

TEST_P(FusedUpdate, CopiesTheNewWeightsAsLibtorchRounds) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const at::ScalarType half : {at::kBFloat16, at::kHalf}) {
    const Buffers b = random_buffers(at::kFloat);
    // Ties, what fp16 holds as subnormal or not at all, and what is no number.
    const at::Tensor special =
        at::tensor({1.00390625F, 1.01171875F, 1.00048828125F, 1.00146484375F, 3e-6F, 65519.0F,
                    65520.0F, 3.39e38F, -infinity, infinity - infinity});
    b.parameters.narrow(0, 100, special.numel()).copy_(special);
    const at::Tensor copy = at::empty({kSize}, half);
    sgd_update(b.parameters, b.gradients, {}, {.lr = 0.0}, {.copy = copy});
    EXPECT_TRUE(at::allclose(copy, b.parameters.to(half), 0.0, 0.0, /*equal_nan=*/true));
  }
}

TEST_P(FusedUpdate, IsTheSameAtAnyNumberOfThreadsAndInAnyNumberOfParts) {
  const AdamArguments arguments{.lr = 0.01, .weight_decay = 0.1, .step = 5};
  const Buffers whole = random_buffers(at::kFloat);
  const Buffers threaded = whole.clone(), parts = whole.clone();
  const auto update = [&](const Buffers& b, std::int64_t begin, std::int64_t end) {
    const auto part = [&](const at::Tensor& t) { return t.narrow(0, begin, end - begin); };
    adam_update(part(b.parameters), part(b.gradients), part(b.first), part(b.second), arguments,
                {.grad_factor = 0.3, .average = part(b.average), .average_weight = 0.01});
  };
  at::set_num_threads(1);
  update(whole, 0, kSize);
  update(parts, 0, 1234);
  update(parts, 1234, kSize);
  at::set_num_threads(2);
  update(threaded, 0, kSize);
  at::set_num_threads(1);
  for (std::size_t i = 0; i < whole.all().size(); ++i) {
    EXPECT_TRUE(at::equal(whole.all()[i], threaded.all()[i])) << i;
    EXPECT_TRUE(at::equal(whole.all()[i], parts.all()[i])) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(On, FusedUpdate, EveryProcessor::values(), EveryProcessor::name);

TEST(FusedUpdateArguments, ThatDoNotFitAreRefusedBeforeAnythingChanges) {
  const Buffers b = random_buffers(at::kFloat);
  const Buffers before = b.clone();
  const at::Tensor shorter = at::zeros({kSize - 1}), wider = at::zeros({kSize}, at::kDouble);
  const auto refuses = [&](const at::Tensor& gradients, const at::Tensor& moment,
                           const UpdateExtras& extras) {
    return message_of<Error>(
        [&] { adam_update(b.parameters, gradients, moment, b.second, {}, extras); });
  };
  EXPECT_NE(refuses(shorter, b.first, {}).find("gradients"), std::string::npos);
  EXPECT_NE(refuses(b.gradients, wider, {}).find("moments"), std::string::npos);
  EXPECT_NE(refuses(b.gradients, b.first, {.average = shorter}).find("averages"),
            std::string::npos);
  EXPECT_NE(refuses(b.gradients, b.first, {.copy = b.average}).find("copies"), std::string::npos);
  EXPECT_TRUE(at::equal(b.parameters, before.parameters));
}

}  // namespace
}  // namespace effuse
