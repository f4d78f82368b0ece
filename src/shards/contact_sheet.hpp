#pragma once

#include <cstdint>

#include "image/image.hpp"
#include "shards/sharded_dataset.hpp"

namespace effuse {

/// About `images` images of a data set in one picture: a labelled column per class, up to 20
/// classes, or else as square as they go. Images are taken at even distances. Throws DataError
/// where one cannot be read.
Image make_contact_sheet(const ShardedDataset& dataset, std::int64_t images);

}  // namespace effuse
