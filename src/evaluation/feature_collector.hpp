#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "evaluation/feature_network.hpp"
#include "evaluation/moments.hpp"
#include "evaluation/shared_rows.hpp"

namespace effuse {

/// Whether features themselves are wanted, or their moments alone.
enum class Keep { moments, features };

/// The features of a set of images.
struct FeatureSet {
  Moments moments;    ///< of the whole set, at every rank
  SharedRows pooled;  ///< fp32 [N, D], with Keep::features
  SharedRows logits;  ///< fp32 [N, classes], the same; undefined where the network has none
};

/// Where a person finds the i-th image of a tile.
using PlaceOfImage = std::function<std::string(std::int64_t i)>;

/// Takes the images of one rank, tile by tile, and joins what all ranks found.
class FeatureCollector {
 public:
  /// `network` must outlive this.
  FeatureCollector(const FeatureNetwork& network, Keep keep, at::Device device);

  /// images: uint8 [tile, H, W, 3], of which the first `wanted` count and the rest is padding: a
  /// tile of always the same shape gives features that do not depend on ranks. Those of the first,
  /// on the CPU, the logits with Keep::features only. Throws DataError where they are not finite.
  Features compute(const at::Tensor& images, std::int64_t wanted, const PlaceOfImage& place) const;

  /// The features of the next tile.
  void add(const Features& features);

  /// add() of what compute() gives.
  void take(const at::Tensor& images, std::int64_t wanted, const PlaceOfImage& place) {
    add(compute(images, wanted, place));
  }

  /// Whether add() needs logits, too.
  bool wants_logits() const { return keep_ == Keep::features && network_.classifies(); }

  /// Collective. Of `count` images, whose ranges range_of_rank(count, tile, …) the ranks have
  /// taken. To be called once.
  FeatureSet join(std::int64_t count, std::int64_t tile, Communicator& comm);

 private:
  const FeatureNetwork& network_;
  Keep keep_;
  at::Device device_;
  Moments moments_;
  std::vector<at::Tensor> pooled_, logits_;
};

}  // namespace effuse
