#include "checkpoint/safetensors.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

/// A file of the header given and so many bytes of data.
std::string file_of(const std::string& header, std::size_t data_bytes) {
  std::string text;
  for (int i = 0; i < 8; ++i) text += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  return text + header + std::string(data_bytes, '\1');
}

SafetensorsFile read(const std::string& bytes) {
  const TemporaryFolder folder;
  std::ofstream(folder / "a", std::ios::binary) << bytes;
  return read_safetensors(folder / "a");
}

/// What is said of a file after "… is no valid safetensors file: ".
std::string complaint_about(const std::string& bytes) {
  const std::string message = message_of<CheckpointError>([&] { read(bytes); });
  const std::string begin = " is no valid safetensors file: ";
  const std::size_t place = message.find(begin);
  return place == std::string::npos ? message : message.substr(place + begin.size());
}

std::string complaint_about(const std::string& header, std::size_t data_bytes) {
  return complaint_about(file_of(header, data_bytes));
}

std::string header_of(const std::string& bytes) {
  std::uint64_t size = 0;
  for (int i = 7; i >= 0; --i) {
    size = size << 8 | static_cast<unsigned char>(bytes.at(static_cast<std::size_t>(i)));
  }
  return bytes.substr(8, size);
}

TEST(Safetensors, WritesTheFormat) {
  const TemporaryFolder folder;
  const NamedTensors tensors{{"b", at::arange(3, at::kFloat)}, {"a", at::ones({2, 1}, at::kByte)}};
  const FileRecord record = write_safetensors(folder / "a", tensors, {{"format", "pt"}});
  const std::string bytes = read_file(folder / "a");
  const std::string header = header_of(bytes);
  EXPECT_EQ(header.size() % 8, 0u);
  EXPECT_EQ(header.substr(0, header.find_last_not_of(' ') + 1),
            R"({"__metadata__":{"format":"pt"},)"
            R"("b":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},)"
            R"("a":{"dtype":"U8","shape":[2,1],"data_offsets":[12,14]}})");
  EXPECT_EQ(bytes.size(), 8 + header.size() + 14);
  EXPECT_EQ(record, (FileRecord{bytes.size(), sha256_of(bytes)}));
}

TEST(Safetensors, ReadsWhatItWrote) {
  const TemporaryFolder folder;
  NamedTensors tensors;
  for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt,
                          at::kShort, at::kChar, at::kByte, at::kBool}) {
    tensors.emplace_back(c10::toString(type), (at::arange(9).reshape({3, 3}) % 2).to(type));
  }
  tensors.emplace_back("scalar", at::full({}, 0.25));
  tensors.emplace_back("empty", at::zeros({0, 4}));
  tensors.emplace_back("transposed", at::arange(6).reshape({2, 3}).t());
  tensors.emplace_back("wants a gradient", at::ones({2}).set_requires_grad(true));
  write_safetensors(folder / "a", tensors, {{"k", "v"}});
  for (const auto open : {&read_safetensors, &map_safetensors}) {
    const SafetensorsFile file = open(folder / "a");
    EXPECT_EQ(file.metadata, (SafetensorsMetadata{{"k", "v"}}));
    ASSERT_EQ(file.tensors.size(), tensors.size());
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      EXPECT_EQ(file.tensors[i].first, tensors[i].first);
      EXPECT_EQ(file.tensors[i].second.scalar_type(), tensors[i].second.scalar_type());
      EXPECT_TRUE(file.tensors[i].second.equal(tensors[i].second)) << tensors[i].first;
    }
  }
}

TEST(Safetensors, MapsTensorsThatLieAsTheirTypeNeedsItAndCopiesTheOthers) {
  const TemporaryFolder folder;
  const at::Tensor odd = at::ones({3}, at::kByte);
  const at::Tensor after = at::arange(5, at::kDouble);
  write_safetensors(folder / "a", {{"first", after}, {"odd", odd}, {"after", after}});
  const SafetensorsFile file = map_safetensors(folder / "a");
  EXPECT_TRUE(file.tensors[2].second.equal(after));
  const auto storage_of = [&](std::size_t i) {
    return file.tensors[i].second.storage().unsafeGetStorageImpl();
  };
  EXPECT_EQ(storage_of(0), storage_of(1));
  EXPECT_NE(storage_of(0), storage_of(2));
}

TEST(Safetensors, ReadsTheFileOfThePythonPackage) {
  const auto golden =
      std::filesystem::path(__FILE__).parent_path() / "../../golden/checkpoint/python.safetensors";
  const SafetensorsFile file = read_safetensors(golden);
  EXPECT_EQ(file.metadata, (SafetensorsMetadata{{"format", "pt"}}));
  ASSERT_EQ(file.tensors.size(), 12u);
  const std::map<std::string, at::Tensor> by_name(file.tensors.begin(), file.tensors.end());
  const at::Tensor expected = (at::arange(6) % 3).reshape({2, 3});
  for (const auto& [name, type] : std::map<std::string, at::ScalarType>{{"F64", at::kDouble},
                                                                        {"F32", at::kFloat},
                                                                        {"F16", at::kHalf},
                                                                        {"BF16", at::kBFloat16},
                                                                        {"I64", at::kLong},
                                                                        {"I32", at::kInt},
                                                                        {"I16", at::kShort},
                                                                        {"I8", at::kChar},
                                                                        {"U8", at::kByte},
                                                                        {"BOOL", at::kBool}}) {
    EXPECT_EQ(by_name.at(name).scalar_type(), type) << name;
    EXPECT_TRUE(by_name.at(name).equal(expected.to(type))) << name;
  }
  EXPECT_TRUE(by_name.at("scalar").equal(at::full({}, 0.5)));
  EXPECT_EQ(by_name.at("empty").sizes(), at::IntArrayRef({0, 4}));
}

TEST(Safetensors, AFileWithoutTensorsIsOne) {
  const TemporaryFolder folder;
  write_safetensors(folder / "a", {});
  EXPECT_TRUE(read_safetensors(folder / "a").tensors.empty());
  EXPECT_TRUE(map_safetensors(folder / "a").tensors.empty());
}

TEST(Safetensors, RefusesToWriteWhatCouldNotBeRead) {
  const TemporaryFolder folder;
  const auto complaint = [&](const NamedTensors& tensors) {
    return message_of<CheckpointError>([&] { write_safetensors(folder / "a", tensors); });
  };
  const at::Tensor one = at::ones({1});
  EXPECT_NE(complaint({{"a", one}, {"a", one}}).find("tensor a has a name that is taken"),
            std::string::npos);
  EXPECT_NE(complaint({{"__metadata__", one}}).find("a name that is taken"), std::string::npos);
  EXPECT_NE(complaint({{"a", one.to(at::kComplexFloat)}}).find("is of type ComplexFloat"),
            std::string::npos);
  EXPECT_NE(complaint({{"a", at::Tensor()}}).find("is undefined"), std::string::npos);
  EXPECT_NE(complaint({{"\xff", one}}).find("UTF-8"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
}

TEST(Safetensors, AMissingFileIsNamed) {
  EXPECT_NE(message_of<CheckpointError>([] {
              read_safetensors("/missing/a");
            }).find("cannot read /missing/a: No such file"),
            std::string::npos);
}

TEST(Safetensors, AHeaderThatDoesNotFitTheFileIsRefused) {
  EXPECT_EQ(complaint_about("abc"), "it has only 3 bytes");
  EXPECT_EQ(complaint_about(std::string("\x09\0\0\0\0\0\0\0{}", 10)),
            "its header of 9 bytes goes beyond its 10 bytes");
  EXPECT_EQ(complaint_about(std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10)),
            "it claims a header of 18446744073709551615 bytes, the format allows 100 MB");
}

TEST(Safetensors, AMalformedHeaderIsRefused) {
  EXPECT_TRUE(complaint_about("{\"a\":", 0).starts_with("its header is malformed JSON ("));
  EXPECT_TRUE(complaint_about("", 0).starts_with("its header is malformed JSON ("));
  EXPECT_EQ(complaint_about("[]", 0), "its header is no JSON object");
  EXPECT_EQ(complaint_about(R"({"__metadata__":{"a":1}})", 0), "__metadata__ holds more than text");
  EXPECT_EQ(complaint_about(R"({"__metadata__":["a"]})", 0), "__metadata__ holds more than text");
}

TEST(Safetensors, ANameGivenTwiceIsRefused) {
  EXPECT_EQ(complaint_about(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                            R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                            2),
            "its header names a twice");
  EXPECT_EQ(
      complaint_about(R"({"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}})", 1),
      "its header names dtype twice");
}

TEST(Safetensors, AnEntryThatIsNoTensorIsRefused) {
  const auto about = [](const std::string& entry, std::size_t bytes) {
    return complaint_about("{\"a\":" + entry + "}", bytes);
  };
  EXPECT_EQ(about("1", 0), "tensor a is described by no JSON object");
  EXPECT_EQ(about(R"({"shape":[1],"data_offsets":[0,1]})", 1), "tensor a has no dtype");
  EXPECT_EQ(about(R"({"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]})", 1),
            "tensor a is of the unknown dtype F8_E4M3");
  EXPECT_EQ(about(R"({"dtype":"U8","data_offsets":[0,1]})", 1), "tensor a has no list shape");
  EXPECT_EQ(about(R"({"dtype":"U8","shape":[-1],"data_offsets":[0,1]})", 1),
            "tensor a has a number in shape that is none: -1");
  EXPECT_EQ(about(R"({"dtype":"U8","shape":[1.5],"data_offsets":[0,1]})", 1),
            "tensor a has a number in shape that is none: 1.5");
  EXPECT_EQ(about(R"({"dtype":"U8","shape":[1],"data_offsets":[1,0]})", 1),
            "tensor a has data_offsets that are not begin and end");
  EXPECT_EQ(about(R"({"dtype":"U8","shape":[1],"data_offsets":[0]})", 1),
            "tensor a has data_offsets that are not begin and end");
}

TEST(Safetensors, AShapeThatDoesNotFitItsBytesIsRefused) {
  EXPECT_EQ(complaint_about(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4),
            "tensor a has 4 bytes, its shape and dtype ask for 8");
  EXPECT_EQ(complaint_about(
                R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", 4),
            "tensor a has 4 bytes, its shape and dtype ask for more than there can be");
}

TEST(Safetensors, NumbersBeyond63BitsAreRefused) {
  EXPECT_EQ(complaint_about(
                R"({"a":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,1]}})", 1),
            "tensor a has a number in shape that is none: 18446744073709551615");
  EXPECT_EQ(complaint_about(
                R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,9223372036854775808]}})", 1),
            "tensor a has a number in data_offsets that is none: 9223372036854775808");
  EXPECT_EQ(
      complaint_about(
          R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[9223372036854775806,9223372036854775807]}})",
          1),
      "tensor a ends at byte 9223372036854775807 of 1 bytes of data");
  EXPECT_EQ(
      complaint_about(
          R"({"a":{"dtype":"F64","shape":[0,9223372036854775807,9223372036854775807],"data_offsets":[0,0]}})",
          0),
      "tensor a has 0 bytes, its shape and dtype ask for more than there can be");
}

TEST(Safetensors, DataThatAreNotCoveredOnceAreRefused) {
  const auto entry = [](const std::string& name, int begin, int end) {
    return "\"" + name + "\":{\"dtype\":\"U8\",\"shape\":[" + std::to_string(end - begin) +
           "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]}";
  };
  EXPECT_EQ(complaint_about("{" + entry("a", 0, 4) + "}", 3),
            "tensor a ends at byte 4 of 3 bytes of data");
  EXPECT_EQ(complaint_about("{" + entry("a", 0, 4) + "}", 5),
            "1 bytes at its end belong to no tensor");
  EXPECT_EQ(complaint_about("{" + entry("a", 0, 4) + "," + entry("b", 3, 6) + "}", 6),
            "tensor b overlaps the tensor before it");
  EXPECT_EQ(complaint_about("{" + entry("a", 0, 4) + "," + entry("b", 5, 6) + "}", 6),
            "tensor b leaves a gap before it");
}

}  // namespace
}  // namespace effuse
