#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.hpp"
#include "core/files.hpp"
#include "exchange/torch_file.hpp"
#include "pickle_text.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"
#include "torch_archive.hpp"

/// Files of torch.save before 1.6: one of torch's own, and others written by hand.
namespace effuse {
namespace {

const std::string kMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
const std::string kVersion = pickle::whole(pickle::integer(1001));
const std::string kMachine = pickle::whole(pickle::dict(pickle::text("little_endian") + "\x88"));

/// The persistent id of a storage, with the metadata of a view, None unless given.
std::string storage(const std::string& type, const std::string& key, std::uint64_t count,
                    const std::string& view = "N") {
  return pickle::tuple(pickle::text("storage") + pickle::global("torch", type) + pickle::text(key) +
                       pickle::text("cpu") + pickle::integer(count) + view) +
         "Q";
}

std::string six_floats(const std::string& key = "k") {
  return pickle::tensor(storage("FloatStorage", key, 6), 0, {2, 3}, {3, 1});
}

std::string keys(const std::string& items) { return pickle::whole(pickle::list(items)); }
std::string elements(std::uint64_t count, const std::string& bytes) {
  return pickle::number(count, 8) + bytes;
}

const std::string kSix = bytes_of({0, 1, 2, 3, 4, 5});
const std::string kHead = kMagic + kVersion + kMachine;

class LegacyTorchFileTest : public testing::Test {
 protected:
  std::string complaint(const std::string& bytes) const {
    std::ofstream(folder_ / "a.pt", std::ios::binary) << bytes;
    return message_of<CheckpointError>([&] {
      TorchFile file(folder_ / "a.pt");
      file.tensor(*file.root().as<PickleTensor>(), "w");
    });
  }

  void expect_complaint(const std::string& bytes, const std::string& part) const {
    const std::string message = complaint(bytes);
    EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_NE(message.find((folder_ / "a.pt").string()), std::string::npos) << message;
  }

  at::Tensor read(const std::string& bytes) const {
    std::ofstream(folder_ / "a.pt", std::ios::binary) << bytes;
    TorchFile file(folder_ / "a.pt");
    return file.tensor(*file.root().as<PickleTensor>(), "w");
  }

  TemporaryFolder folder_;
};

std::filesystem::path golden() {
  return std::filesystem::path(__FILE__).parent_path() / "../../golden/legacy_torch.pt";
}

std::map<std::string, at::Tensor> tensors_of(const std::filesystem::path& path) {
  TorchFile file(path);
  std::map<std::string, at::Tensor> tensors;
  const auto* state = file.root().as<PickleDict>();
  if (state == nullptr) throw CheckpointError("no state_dict");
  for (const auto& [key, value] : state->items) {
    const auto* name = key->as<std::string>();
    const auto* tensor = value->as<PickleTensor>();
    if (name == nullptr || tensor == nullptr) throw CheckpointError("no tensor");
    tensors[*name] = file.tensor(*tensor, *name);
  }
  return tensors;
}

TEST_F(LegacyTorchFileTest, HoldsWhatTorchSaved) {
  EXPECT_TRUE(TorchFile::is_one(golden()));
  const auto tensors = tensors_of(golden());
  const at::Tensor whole = at::arange(24, at::kFloat).view({4, 6});
  ASSERT_EQ(tensors.size(), 7U);
  EXPECT_TRUE(tensors.at("whole").equal(whole));
  EXPECT_TRUE(tensors.at("view").equal(whole.slice(0, 1, 3).slice(1, 2, 5)));
  EXPECT_TRUE(tensors.at("transposed").equal(at::arange(6, at::kDouble).view({2, 3}).t()));
  EXPECT_TRUE(tensors.at("parameter").equal(at::tensor({0.5F, -0.25F})));
  EXPECT_TRUE(tensors.at("half").equal(at::tensor({1.5F, 2.5F, -3.5F}).to(at::kHalf)));
  EXPECT_TRUE(tensors.at("num_batches_tracked").equal(at::scalar_tensor(7, at::kLong)));
  EXPECT_EQ(tensors.at("empty").sizes(), at::IntArrayRef({0, 3}));
}

TEST_F(LegacyTorchFileTest, OfTorchIsReadWholeOrNotAtAll) {
  const std::string good = read_file(golden());
  const auto path = folder_ / "a.pt";
  const auto ends_well = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    try {
      tensors_of(path);
      return true;
    } catch (const Error&) {
      return false;
    }
  };
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(ends_well(good.substr(0, size))) << "cut at " << size;
  }
  EXPECT_FALSE(ends_well(good + "x"));
  for (std::size_t place = 0; place < good.size(); ++place) {
    for (const int flipped : {0x01, 0x80, 0xFF}) {
      std::string bad = good;
      bad[place] = static_cast<char>(bad[place] ^ flipped);
      EXPECT_NO_THROW(ends_well(bad)) << "byte " << place;
    }
  }
}

TEST_F(LegacyTorchFileTest, MayBeOfALaterPickleProtocol) {
  const std::string rest = kVersion + kMachine + pickle::whole(six_floats()) +
                           keys(pickle::text("k")) + elements(6, kSix);
  const at::Tensor six = at::arange(6, at::kFloat).view({2, 3});
  EXPECT_TRUE(read(kMagic + rest).equal(six));
  const std::string framed = "\x80\x04\x95" + pickle::number(13, 8) + kMagic.substr(2);
  EXPECT_TRUE(read(framed + rest).equal(six));
}

TEST_F(LegacyTorchFileTest, RefusesOtherHeads) {
  const std::string rest =
      pickle::whole(six_floats()) + keys(pickle::text("k")) + elements(6, kSix);
  std::string wrong = kMagic;
  wrong[6] ^= 1;
  expect_complaint(wrong + kVersion + kMachine + rest, "is a bare pickle");
  expect_complaint(kMagic + pickle::whole(pickle::integer(1002)) + kMachine + rest,
                   "its version is not 1001");
  const std::string big = pickle::whole(pickle::dict(pickle::text("little_endian") + "\x89"));
  expect_complaint(kMagic + kVersion + big + rest, "big-endian");
  expect_complaint(kMagic + kVersion + pickle::whole("}") + rest, "the order of its bytes");
}

TEST_F(LegacyTorchFileTest, RefusesClaimsBeyondTheFile) {
  const std::string head = kHead + pickle::whole(six_floats()) + keys(pickle::text("k"));
  expect_complaint(head + elements(6, kSix.substr(1)), "claims 6 elements");
  for (const std::uint64_t count :
       {std::uint64_t{7}, std::uint64_t{1} << 61, std::uint64_t{1} << 62, ~std::uint64_t{0}}) {
    expect_complaint(head + elements(count, kSix), "storage k claims");
  }
  expect_complaint(head + "abc", "it speaks of 8 bytes");
  expect_complaint(head + elements(6, kSix) + "tail", "4 bytes follow the last storage");
  expect_complaint(head + elements(5, kSix.substr(4)),
                   "tensor w claims a storage of 6 elements, but storage k has 20 bytes");
}

TEST_F(LegacyTorchFileTest, RefusesListsOfStoragesThatDoNotFit) {
  const std::string head = kHead + pickle::whole(six_floats());
  expect_complaint(head + keys(""), "it lacks storage k");
  expect_complaint(head + keys(pickle::text("other")) + elements(6, kSix),
                   "storage other belongs to no tensor");
  expect_complaint(
      head + keys(pickle::text("k") + pickle::text("k")) + elements(6, kSix) + elements(6, kSix),
      "it holds storage k twice");
  expect_complaint(head + keys("K\x01"), "more than their keys");
  expect_complaint(head + pickle::whole("}"), "its list of storages is missing");
}

TEST_F(LegacyTorchFileTest, RefusesStoragesThatAreDescribedInTwoWays) {
  const std::string two =
      pickle::list(six_floats() + pickle::tensor(storage("DoubleStorage", "k", 3), 0, {3}, {1}));
  expect_complaint(kHead + pickle::whole(two) + keys(pickle::text("k")) + elements(6, kSix),
                   "storage k is described in two ways");
  const std::string view =
      pickle::tuple(pickle::text("v") + pickle::integer(0) + pickle::integer(6));
  expect_complaint(
      kHead + pickle::whole(pickle::tensor(storage("FloatStorage", "k", 6, view), 0, {6}, {1})),
      "a part of another");
}

TEST_F(LegacyTorchFileTest, CallsNothing) {
  expect_complaint(kHead + pickle::whole(pickle::global("os", "system")),
                   "names the callable os.system");
}

}  // namespace
}  // namespace effuse
