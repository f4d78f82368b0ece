#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "core/error.hpp"
#include "core/files.hpp"
#include "exchange/formats.hpp"
#include "exchange/pickle_reader.hpp"
#include "support/temporary_folder.hpp"
#include "torch_archive.hpp"

/// A good file, damaged in every place: reading it ends well or in an Error, and in nothing else.
namespace effuse {
namespace {

std::string item(const std::string& key, const std::string& value) {
  return pickle::text(key) + value;
}

/// In IDDM's layout, with two tensors.
std::string example_value() {
  const std::string one = pickle::storage("FloatStorage", "0", 6);
  const std::string two = pickle::storage("HalfStorage", "1", 2);
  const std::string model =
      pickle::global("collections", "OrderedDict") + ")Rq\x01" + "(" +
      item("inc.double_conv.0.weight", pickle::tensor(one, 0, {2, 3}, {3, 1})) +
      item("module.label_emb.weight", pickle::tensor(two, 0, {1, 2}, {2, 1})) + "u}b";
  return pickle::dict(
      item("model", model) + item("ema_model", "h\x01") + item("network", pickle::text("unet")) +
      item("act", pickle::text("gelu")) + item("image_size", pickle::list("K\x20K\x20")) +
      item("optimizer", pickle::dict(item("lr", "G\x3f\x50\x62\x4d\xd2\xf1\xa9\xfc"))));
}

/// Whether it was read; a failure that is no Error fails the test.
template <class Action>
bool ends_well(const Action& action, const std::string& what) {
  try {
    action();
    return true;
  } catch (const Error&) {
    return false;
  } catch (const std::exception& error) {
    ADD_FAILURE() << what << ": " << error.what();
    return false;
  }
}

TEST(HostilePickle, OfEveryByteAndLength) {
  const std::string good = pickle::whole(example_value());
  const auto reads = [](const std::string& bytes, const std::string& what) {
    return ends_well([&] { read_pickle(bytes, "f"); }, what);
  };
  ASSERT_TRUE(reads(good, "good"));
  for (std::size_t place = 0; place < good.size(); ++place) {
    for (int value = 0; value < 256; ++value) {
      std::string bad = good;
      bad[place] = static_cast<char>(value);
      reads(bad, "byte " + std::to_string(place) + " = " + std::to_string(value));
    }
    EXPECT_FALSE(reads(good.substr(0, place), "cut at " + std::to_string(place)));
    reads(good.substr(0, place) + good.substr(place + 1), "without byte " + std::to_string(place));
  }
}

TEST(HostileFile, OfEveryByteAndManyLengths) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "a.pt";
  write_torch_archive(path, example_value(),
                      {{"data/0", bytes_of({0, 1, 2, 3, 4, 5})}, {"data/1", "abcd"}});
  const std::string good = read_file(path);
  const auto reads = [&](const std::string& bytes, const std::string& what) {
    std::ofstream(path, std::ios::binary) << bytes;
    return ends_well([&] { read_iddm_tensors(path, WeightsKind::ema); }, what);
  };
  ASSERT_TRUE(reads(good, "good"));
  for (std::size_t place = 0; place < good.size(); ++place) {
    if (good[place] == 'Z') continue;  // padding
    for (const int flipped : {0x01, 0x80, 0xFF}) {
      std::string bad = good;
      bad[place] = static_cast<char>(bad[place] ^ flipped);
      reads(bad, "byte " + std::to_string(place));
    }
  }
  for (std::size_t size = 0; size < good.size(); size += 7) {
    EXPECT_FALSE(reads(good.substr(0, size), "cut at " + std::to_string(size)));
  }
}

}  // namespace
}  // namespace effuse
