#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <string>

#include "shards/image_folder.hpp"
#include "shards/packer.hpp"
#include "support/temporary_folder.hpp"
#include "unit/shards/example.hpp"

namespace effuse {

/// 24 images of two classes, packed as 256x256, so that a shard of 1 MiB holds five.
class Packing : public testing::Test {
 protected:
  explicit Packing(int side = 256) {
    for (int i = 0; i < 24; ++i) {
      write_image(folder_ / (i % 2 == 0 ? "in/cat/" : "in/dog/") / (std::to_string(i) + ".png"),
                  side, static_cast<std::uint8_t>(i * 5));
    }
    config_.input = (folder_ / "in").string();
    config_.output = (folder_ / "out").string();
    config_.image_size = 256;
    config_.shard_size_mib = 1;
    config_.workers = 2;
  }

  PackOutcome run(Existing existing = Existing::keep) {
    return pack(plan_packing(config_, existing), ProgressStyle::silent);
  }

  void spoil(const std::string& name) { std::ofstream(folder_ / "in" / name) << "spoilt"; }

  /// The image at this place of the sorted list.
  void spoil(int place) {
    spoil(scan_image_folder(config_.input).images.at(static_cast<std::size_t>(place)).path);
  }

  TemporaryFolder folder_;
  PackConfig config_;
};

}  // namespace effuse
