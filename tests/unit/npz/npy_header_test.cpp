#include "npz/npy_header.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/error_message.hpp"

namespace effuse {
namespace {

/// What numpy 1.26 writes before the elements of numpy.zeros((3, 2), dtype).
std::string numpy_header(const std::string& code) {
  std::string header("\x93NUMPY\x01\x00\x76\x00", 10);
  header += "{'descr': '" + code + "', 'fortran_order': False, 'shape': (3, 2), }";
  header.append(127 - header.size(), ' ');
  return header + "\n";
}

std::string refusal(const std::string& header) {
  return message_of<DataError>([&] { parse_npy_header(header, "x.npz: mu"); });
}

TEST(NpyHeader, IsAsNumpyWritesIt) {
  const std::string header = npy_header({ArrayType::fp64, {3, 2}});
  EXPECT_EQ(header.size() % 64, 0U);
  EXPECT_EQ(header.substr(10, 60), numpy_header("<f8").substr(10, 60));
  EXPECT_EQ(npy_header_bytes(header), header.size());
  EXPECT_EQ(npy_header_bytes(numpy_header("<f8")), 128U);
}

TEST(NpyHeader, SaysSingleValuesAndVectorsAsTuples) {
  EXPECT_NE(npy_header({ArrayType::int64, {}}).find("'shape': ()"), std::string::npos);
  EXPECT_NE(npy_header({ArrayType::int64, {5}}).find("'shape': (5,)"), std::string::npos);
}

TEST(NpyHeader, IsReadBack) {
  for (const ArrayInfo& info :
       {ArrayInfo{ArrayType::uint8, {50000, 32, 32, 3}}, ArrayInfo{ArrayType::fp32, {7}},
        ArrayInfo{ArrayType::int32, {}}, ArrayInfo{ArrayType::text, {}, 64}}) {
    EXPECT_EQ(parse_npy_header(npy_header(info), "x"), info);
  }
}

TEST(NpyHeader, RefusesWhatItCannotRead) {
  EXPECT_NE(refusal(numpy_header(">f8")).find("x.npz: mu: has elements of numpy's type >f8"),
            std::string::npos);
  EXPECT_NE(refusal("{'descr': '<f8', 'fortran_order': True, 'shape': (3, 2), }")
                .find("numpy.ascontiguousarray()"),
            std::string::npos);
  EXPECT_NE(refusal("{'descr': '<f8', 'fortran_order': False, "
                    "'shape': (4294967296, 4294967296), }")
                .find("a shape that cannot be"),
            std::string::npos);
  EXPECT_NE(refusal("no header").find("no array of numbers"), std::string::npos);
}

TEST(NpyHeader, TellsOtherFiles) {
  EXPECT_EQ(npy_header_bytes("no header here"), 0U);
  EXPECT_EQ(npy_header_bytes("\x93NUM"), 0U);
}

}  // namespace
}  // namespace effuse
