// Says whether generated images look like their classes: a small convolutional classifier is
// trained on a packed data set, checked on another that it has not seen, and asked about generated
// ones.
//
//   score_classes TRAIN TEST GENERATED [IMAGES]
//
// All three are packed data sets with the same classes; trains on IMAGES images (default 60,000).
// Prints the share of TEST and of GENERATED images whose class it names, in all and by class.
#include <torch/torch.h>

#include <iostream>
#include <string>
#include <vector>

#include "core/text.hpp"
#include "data/batch_source.hpp"
#include "shards/sharded_dataset.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kBatch = 128;

torch::nn::Sequential make_classifier(std::int64_t channels, std::int64_t classes) {
  using namespace torch::nn;
  return Sequential(Conv2d(Conv2dOptions(channels, 16, 3).padding(1)), ReLU(), MaxPool2d(2),
                    Conv2d(Conv2dOptions(16, 32, 3).padding(1)), ReLU(), MaxPool2d(2),
                    Conv2d(Conv2dOptions(32, 64, 3).padding(1)), ReLU(), AdaptiveAvgPool2d(4),
                    Flatten(), Linear(64 * 16, 128), ReLU(), Linear(128, classes));
}

at::Tensor as_input(const at::Tensor& images) {
  return images.permute({0, 3, 1, 2}).to(at::kFloat).div(255.0).contiguous();
}

void train(torch::nn::Sequential& classifier, const ShardedDataset& data, std::int64_t images) {
  const BatchSource source(data, {.seed = 1, .batch_size = kBatch});
  torch::optim::Adam adam(classifier->parameters(), torch::optim::AdamOptions(2e-3));
  for (std::int64_t step = 0; step * kBatch < images; ++step) {
    const Batch batch = source.read(step);
    adam.zero_grad();
    torch::nn::functional::cross_entropy(classifier->forward(as_input(batch.images)), batch.labels)
        .backward();
    adam.step();
  }
}

/// Right answers and images, by class.
struct Score {
  std::vector<std::int64_t> right, all;
};

Score score(torch::nn::Sequential& classifier, const ShardedDataset& data) {
  const torch::NoGradGuard no_grad;
  const auto classes = data.class_names().size();
  Score result{std::vector<std::int64_t>(classes), std::vector<std::int64_t>(classes)};
  for (std::int64_t index = 0; index < data.size(); ++index) {
    at::Tensor image = at::empty({1, data.height(), data.width(), data.channels()}, at::kByte);
    data.read(index, {reinterpret_cast<std::byte*>(image.data_ptr<std::uint8_t>()),
                      static_cast<std::size_t>(image.numel())});
    const auto label = static_cast<std::size_t>(data.label(index));
    const auto named = classifier->forward(as_input(image)).argmax(1).item<std::int64_t>();
    ++result.all[label];
    if (named == data.label(index)) ++result.right[label];
  }
  return result;
}

void print(const std::string& title, const Score& score, std::span<const std::string> names) {
  std::int64_t right = 0, all = 0;
  std::string by_class;
  for (std::size_t i = 0; i < names.size(); ++i) {
    right += score.right[i];
    all += score.all[i];
    by_class += cat("  ", names[i], " ", score.right[i], "/", score.all[i]);
  }
  std::cout << title << ": " << right << " of " << all << " named right ("
            << fixed(100.0 * static_cast<double>(right) / static_cast<double>(all), 1) << "%)\n"
            << by_class << "\n";
}

int run(const std::vector<std::string>& arguments) {
  const auto train_data = ShardedDataset::open(arguments.at(0));
  const auto test_data = ShardedDataset::open(arguments.at(1));
  const auto generated = ShardedDataset::open(arguments.at(2));
  const std::int64_t images = arguments.size() > 3 ? std::stoll(arguments[3]) : 60000;
  torch::manual_seed(1);
  auto classifier = make_classifier(train_data.channels(),
                                    static_cast<std::int64_t>(train_data.class_names().size()));
  train(classifier, train_data, images);
  print("real test images", score(classifier, test_data), train_data.class_names());
  print("generated images", score(classifier, generated), train_data.class_names());
  return 0;
}

}  // namespace
}  // namespace effuse

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "usage: score_classes TRAIN TEST GENERATED [IMAGES]\n";
    return 2;
  }
  return effuse::run({argv + 1, argv + argc});
}
