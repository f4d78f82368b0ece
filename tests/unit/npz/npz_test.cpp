#include <gtest/gtest.h>
#include <zip.h>

#include <cstdint>
#include <fstream>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "core/error.hpp"
#include "core/files.hpp"
#include "npz/npz_reader.hpp"
#include "npz/npz_writer.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

std::vector<std::int64_t> counting(std::int64_t count) {
  std::vector<std::int64_t> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), std::int64_t{0});
  return values;
}

class NpzTest : public ::testing::Test {
 protected:
  void write_numbers() const {
    NpzWriter writer(file_);
    const auto values = counting(30);
    writer.add("rows", {ArrayType::int64, {10, 3}}, std::as_bytes(std::span(values)));
    writer.add_text("network", "inception 0123");
    writer.add_text("nothing", "");
    writer.commit();
  }

  std::vector<std::int64_t> rows(NpzReader& reader, std::int64_t first, std::int64_t count) const {
    std::vector<std::int64_t> values(static_cast<std::size_t>(count * 3));
    reader.read_rows("rows", first, count, std::as_writable_bytes(std::span(values)));
    return values;
  }

  /// Makes another number of the one whose lowest byte is `byte`.
  void damage(const char* byte) const {
    std::string bytes = read_file(file_);
    bytes[bytes.find(byte + std::string(7, '\0'))] ^= 1;
    std::ofstream(file_, std::ios::binary) << bytes;
  }

  /// As numpy.savez_compressed writes it.
  void compress() const {
    zip_t* const zip = zip_open(file_.c_str(), 0, nullptr);
    ASSERT_NE(zip, nullptr);
    ASSERT_EQ(zip_set_file_compression(zip, 0, ZIP_CM_DEFLATE, 9), 0);
    ASSERT_EQ(zip_close(zip), 0);
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "set.npz";
};

TEST_F(NpzTest, IsReadBack) {
  write_numbers();
  const NpzReader reader(file_);
  EXPECT_EQ(reader.names(), (std::vector<std::string>{"rows", "network", "nothing"}));
  EXPECT_EQ(reader.info("rows"), (ArrayInfo{ArrayType::int64, {10, 3}}));
  std::vector<std::int64_t> values(30);
  reader.read("rows", std::as_writable_bytes(std::span(values)));
  EXPECT_EQ(values, counting(30));
  EXPECT_EQ(reader.read_text("network"), "inception 0123");
  EXPECT_EQ(reader.read_text("nothing"), "");
}

TEST_F(NpzTest, RowsAreReadInAnyOrder) {
  write_numbers();
  NpzReader reader(file_);
  EXPECT_EQ(rows(reader, 4, 1), (std::vector<std::int64_t>{12, 13, 14}));
  EXPECT_EQ(rows(reader, 5, 1), (std::vector<std::int64_t>{15, 16, 17}));
  EXPECT_EQ(rows(reader, 0, 1), (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_THROW(rows(reader, 9, 2), DataError);
}

TEST_F(NpzTest, TheSameArraysGiveTheSameBytes) {
  write_numbers();
  const std::string first = read_file(file_);
  write_numbers();
  EXPECT_EQ(read_file(file_), first);
}

TEST_F(NpzTest, AFlippedByteIsFound) {
  write_numbers();
  damage("\x0d");
  const NpzReader reader(file_);
  std::vector<std::int64_t> values(30);
  const std::string message = message_of<DataError>(
      [&] { reader.read("rows", std::as_writable_bytes(std::span(values))); });
  EXPECT_NE(message.find("set.npz: rows: is damaged"), std::string::npos) << message;
}

TEST_F(NpzTest, AFlippedByteIsFoundWithoutKeepingTheArray) {
  write_numbers();
  EXPECT_NO_THROW(NpzReader(file_).verify("rows"));
  damage("\x0d");
  const NpzReader reader(file_);
  EXPECT_NO_THROW(reader.verify("network"));
  const std::string message = message_of<DataError>([&] { reader.verify("rows"); });
  EXPECT_NE(message.find("set.npz: rows: is damaged"), std::string::npos) << message;
}

TEST_F(NpzTest, AFlippedByteOfACompressedArrayIsFound) {
  write_numbers();
  compress();
  EXPECT_NO_THROW(NpzReader(file_).verify("rows"));
  const std::string whole = read_file(file_);
  const std::size_t data = whole.find("rows.npy") + 8;
  for (const std::size_t place : {data + 40, data + 80, data + 110}) {
    std::string bytes = whole;
    bytes[place] ^= 4;
    std::ofstream(file_, std::ios::binary) << bytes;
    EXPECT_THROW(NpzReader(file_).verify("rows"), DataError) << place;
  }
}

TEST_F(NpzTest, ATruncatedOrOtherFileIsRefused) {
  write_numbers();
  std::filesystem::resize_file(file_, 200);
  EXPECT_THROW(NpzReader{file_}, DataError);
  EXPECT_THROW(NpzReader{folder_.path() / "absent.npz"}, DataError);
}

TEST_F(NpzTest, AFailingSourceLeavesNothing) {
  NpzWriter writer(file_);
  writer.add("rows", {ArrayType::uint8, {100}},
             [](std::span<std::byte>) { throw std::runtime_error("tile 3 is gone"); });
  EXPECT_EQ(message_of<std::runtime_error>([&] { writer.commit(); }), "tile 3 is gone");
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(NpzTest, WithoutCommitThereIsNoFile) {
  { NpzWriter(file_).add_text("a", "b"); }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

}  // namespace
}  // namespace effuse
