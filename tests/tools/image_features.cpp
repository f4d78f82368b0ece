// Features of images, to be compared with those of other programs:
//   image_features WEIGHTS CONVENTION IMAGES OUTPUT.safetensors
#include <ATen/ATen.h>

#include <cstdio>
#include <exception>

#include "checkpoint/safetensors.hpp"
#include "evaluation/batch_reader.hpp"
#include "evaluation/inception.hpp"

namespace {

void write_features(char** argv) {
  const effuse::InceptionNetwork network(argv[1], effuse::InceptionNetwork::UnknownWeights::allow,
                                         effuse::input_convention_named(argv[2]), at::kCPU);
  const auto source = effuse::open_image_source(argv[3]);
  const std::int64_t count = source->count();
  const effuse::Features features = network(effuse::BatchReader(*source).read(0, count, count));
  effuse::write_safetensors(argv[4], {{"pooled", features.pooled}, {"logits", features.logits}});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: image_features WEIGHTS CONVENTION IMAGES OUTPUT.safetensors\n");
    return 2;
  }
  try {
    write_features(argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "image_features: %s\n", error.what());
    return 1;
  }
  return 0;
}
