#include "training/state_snapshot.hpp"

#include <gmock/gmock.h>
#include <torch/nn/modules/linear.h>

#include <limits>

#include "core/error.hpp"
#include "small_state.hpp"
#include "support/error_message.hpp"

namespace effuse {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> names_of(const NamedTensors& tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) names.push_back(name);
  return names;
}

TEST(StateSnapshot, holds_what_the_state_was) {
  SmallState small;
  small.fill(1.0);
  StateSnapshot snapshot;
  snapshot.take(*small.state, run_state_of(7));
  snapshot.wait();
  small.fill(2.0);
  EXPECT_TRUE(holds(snapshot.contents(), 1.0));
  EXPECT_EQ(snapshot.contents().state.step, 7);
  EXPECT_EQ(names_of(snapshot.contents().model), names_of(small.state->named_parameters()));
  EXPECT_EQ(names_of(snapshot.contents().ema), names_of(small.state->named_average()));
  EXPECT_EQ(names_of(snapshot.contents().optimizer), names_of(small.state->named_moments()));
}

TEST(StateSnapshot, is_equal_tensor_by_tensor) {
  torch::nn::Linear layer(torch::nn::LinearOptions(7, 3));
  layer->to(at::kDouble);
  const FlatState state(*layer, {"momentum_buffer"});
  for (const at::Tensor& tensor : state.everything()) at::Tensor(tensor).uniform_();
  StateSnapshot snapshot;
  snapshot.take(state, run_state_of(1));
  const auto wanted = state.named_parameters();
  const NamedTensors& found = snapshot.contents().model;
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_TRUE(at::equal(found[i].second, wanted[i].second)) << found[i].first;
    EXPECT_EQ(found[i].second.scalar_type(), at::kDouble);
    EXPECT_EQ(found[i].second.sizes(), wanted[i].second.sizes());
    EXPECT_NE(found[i].second.data_ptr(), wanted[i].second.data_ptr());
  }
}

TEST(StateSnapshot, uses_its_memory_again) {
  SmallState small;
  StateSnapshot snapshot;
  snapshot.take(*small.state, run_state_of(1));
  const auto first = snapshot.contents();
  small.fill(3.0);
  snapshot.take(*small.state, run_state_of(2));
  for (std::size_t i = 0; i < first.optimizer.size(); ++i) {
    EXPECT_EQ(first.optimizer[i].second.data_ptr(),
              snapshot.contents().optimizer[i].second.data_ptr());
  }
  EXPECT_TRUE(holds(snapshot.contents(), 3.0));
}

CheckpointContents contents_with(const at::Tensor& tensor) {
  CheckpointContents contents;
  contents.model = {{"a", at::ones({3})}};
  contents.ema = {{"a", at::ones({3})}};
  contents.optimizer = {{"exp_avg.a", at::ones({3})}, {"exp_avg.b", tensor}};
  contents.state.step = 12;
  return contents;
}

TEST(RequireFinite, finds_what_is_no_number_in_any_file) {
  const at::Tensor bad = at::ones({40});
  bad[39] = std::numeric_limits<float>::quiet_NaN();
  CheckpointContents contents = contents_with(bad);
  EXPECT_THAT(message_of<CheckpointError>([&] { require_finite(contents); }),
              HasSubstr("no checkpoint of step 12 was saved: exp_avg.b of optimizer.safetensors "
                        "holds a number that is not finite"));
  contents.ema[0].second = bad;
  EXPECT_THAT(message_of<CheckpointError>([&] { require_finite(contents); }),
              HasSubstr("a of ema.safetensors holds"));
  contents.model[0].second = bad;
  EXPECT_THAT(message_of<CheckpointError>([&] { require_finite(contents); }),
              HasSubstr("a of model.safetensors holds"));
}

TEST(RequireFinite, knows_the_numbers_of_every_type) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const auto type : {at::kDouble, at::kFloat, at::kBFloat16, at::kHalf}) {
    const at::Tensor edge = at::zeros({4, 5}, type);
    edge[0].fill_(type == at::kHalf ? 65504.0 : 1e38);
    edge[1].fill_(-0.0);
    edge[2].fill_(1e-40);
    EXPECT_NO_THROW(require_finite(contents_with(edge))) << type;
    EXPECT_NO_THROW(require_finite(contents_with(edge.t()))) << type;
    for (const double value : {infinity, -infinity, std::numeric_limits<double>::quiet_NaN()}) {
      const at::Tensor bad = edge.clone();
      bad[3][4] = value;
      EXPECT_THROW(require_finite(contents_with(bad)), CheckpointError) << type << " " << value;
      EXPECT_THROW(require_finite(contents_with(bad.t())), CheckpointError) << type << " " << value;
    }
  }
  EXPECT_NO_THROW(require_finite(contents_with(at::full({3}, -1, at::kLong))));
  EXPECT_NO_THROW(require_finite(contents_with(at::empty({0}))));
}

}  // namespace
}  // namespace effuse
