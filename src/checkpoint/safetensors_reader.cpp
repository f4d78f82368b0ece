#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_file.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "checkpoint/safetensors.hpp"
#include "checkpoint/safetensors_types.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kLength_bytes = 8;
constexpr std::uint64_t kMaxHeader_bytes = 100'000'000;  // the format's own limit

/// One tensor as the header describes it.
struct Entry {
  std::string name;
  c10::ScalarType type = c10::ScalarType::Undefined;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  ///< from the end of the header
  std::uint64_t end = 0;
};

[[noreturn]] void reject(const std::filesystem::path& file, const std::string& problem) {
  throw CheckpointError(cat(file.string(), " is no valid safetensors file: ", problem));
}

[[noreturn]] void reject(const std::filesystem::path& file, const std::string& tensor,
                         const std::string& problem) {
  reject(file, cat("tensor ", tensor, " ", problem));
}

/// JSON leaves open what a key given twice means, so it is refused.
Json parse_header(const std::string& text, const std::filesystem::path& file) {
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key &&
        !keys.back().insert(parsed.get<std::string>()).second) {
      reject(file, cat("its header names ", parsed.get<std::string>(), " twice"));
    }
    return true;
  };
  Json header;
  try {
    header = Json::parse(text, check);
  } catch (const Json::parse_error& error) {
    reject(file, cat("its header is malformed JSON (", error.what(), ")"));
  }
  if (!header.is_object()) reject(file, "its header is no JSON object");
  return header;
}

/// Reads the header and checks its length against the file's.
Json read_header(std::istream& in, std::uint64_t size_bytes, const std::filesystem::path& file,
                 std::uint64_t& data_begin) {
  std::array<unsigned char, kLength_bytes> raw{};
  if (size_bytes < kLength_bytes) reject(file, cat("it has only ", size_bytes, " bytes"));
  in.read(reinterpret_cast<char*>(raw.data()), kLength_bytes);
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < raw.size(); ++i) length |= std::uint64_t{raw[i]} << (8 * i);
  if (length > kMaxHeader_bytes) {
    reject(file, cat("it claims a header of ", length, " bytes, the format allows 100 MB"));
  }
  if (length > size_bytes - kLength_bytes) {
    reject(file, cat("its header of ", length, " bytes goes beyond its ", size_bytes, " bytes"));
  }
  std::string text(length, '\0');
  in.read(text.data(), static_cast<std::streamsize>(length));
  if (!in) reject(file, "its header cannot be read");
  data_begin = kLength_bytes + length;
  return parse_header(text, file);
}

/// Bytes of a tensor; nothing where they do not fit into 63 bits, an extent of 0 left aside.
std::optional<std::uint64_t> bytes_of(const Entry& entry) {
  auto bytes = static_cast<std::int64_t>(c10::elementSize(entry.type));
  bool empty = false;
  for (const std::int64_t extent : entry.shape) {
    empty = empty || extent == 0;
    if (extent > 0 && __builtin_mul_overflow(bytes, extent, &bytes)) return std::nullopt;
  }
  return empty ? 0 : static_cast<std::uint64_t>(bytes);
}

std::vector<std::uint64_t> numbers_of(const Json& entry, const char* key, const std::string& tensor,
                                      const std::filesystem::path& file) {
  const auto list = entry.find(key);
  std::vector<std::uint64_t> numbers;
  if (list == entry.end() || !list->is_array()) reject(file, tensor, cat("has no list ", key));
  for (const Json& number : *list) {
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!number.is_number_unsigned() || number.get<std::uint64_t>() > kMax) {
      reject(file, tensor, cat("has a number in ", key, " that is none: ", number.dump()));
    }
    numbers.push_back(number.get<std::uint64_t>());
  }
  return numbers;
}

Entry entry_of(const std::string& name, const Json& json, const std::filesystem::path& file) {
  if (!json.is_object()) reject(file, name, "is described by no JSON object");
  const auto dtype = json.find("dtype");
  if (dtype == json.end() || !dtype->is_string()) reject(file, name, "has no dtype");
  const auto type = scalar_type_of(dtype->get<std::string>());
  if (!type) reject(file, name, cat("is of the unknown dtype ", dtype->get<std::string>()));
  const auto shape = numbers_of(json, "shape", name, file);
  const auto offsets = numbers_of(json, "data_offsets", name, file);
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    reject(file, name, "has data_offsets that are not begin and end");
  }
  const Entry entry{name, *type, {shape.begin(), shape.end()}, offsets[0], offsets[1]};
  const auto bytes = bytes_of(entry);
  if (!bytes || *bytes != entry.end - entry.begin) {
    reject(file, name,
           cat("has ", entry.end - entry.begin, " bytes, its shape and dtype ask for ",
               bytes ? cat(*bytes) : "more than there can be"));
  }
  return entry;
}

/// The data must be covered from first byte to last, each byte by one tensor.
void check_cover(const std::vector<Entry>& entries, std::uint64_t data_bytes,
                 const std::filesystem::path& file) {
  std::uint64_t covered = 0;
  for (const Entry& entry : entries) {
    if (entry.end > data_bytes) {
      reject(file, entry.name,
             cat("ends at byte ", entry.end, " of ", data_bytes, " bytes of data"));
    }
    if (entry.begin < covered) reject(file, entry.name, "overlaps the tensor before it");
    if (entry.begin > covered) reject(file, entry.name, "leaves a gap before it");
    covered = entry.end;
  }
  if (covered != data_bytes) {
    reject(file, cat(data_bytes - covered, " bytes at its end belong to no tensor"));
  }
}

std::vector<Entry> entries_of(const Json& header, std::uint64_t data_bytes,
                              const std::filesystem::path& file, SafetensorsMetadata& metadata) {
  std::vector<Entry> entries;
  for (const auto& [name, json] : header.items()) {
    if (name != "__metadata__") {
      entries.push_back(entry_of(name, json, file));
      continue;
    }
    for (const auto& [key, value] : json.items()) {
      if (!json.is_object() || !value.is_string())
        reject(file, "__metadata__ holds more than text");
      metadata[key] = value.get<std::string>();
    }
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  check_cover(entries, data_bytes, file);
  return entries;
}

/// A file whose header has been read and found to fit it.
struct OpenedFile {
  std::ifstream in;  ///< at the first byte of data
  std::uint64_t size_bytes = 0;
  std::uint64_t data_begin = 0;
  std::vector<Entry> entries;  ///< in the order of their bytes
  SafetensorsMetadata metadata;
};

OpenedFile open_file(const std::filesystem::path& path) {
  OpenedFile file{.in = std::ifstream(path, std::ios::binary), .entries = {}, .metadata = {}};
  std::error_code problem;
  file.size_bytes = std::filesystem::file_size(path, problem);
  if (!file.in || problem) {
    throw CheckpointError(cat("cannot read ", path.string(), ": ",
                              problem ? problem.message() : std::strerror(errno)));
  }
  const Json header = read_header(file.in, file.size_bytes, path, file.data_begin);
  file.entries = entries_of(header, file.size_bytes - file.data_begin, path, file.metadata);
  return file;
}

/// `bytes` of the whole file as a tensor; a copy where they do not lie as the type needs it.
at::Tensor view_of(const at::Tensor& bytes, const Entry& entry, std::uint64_t data_begin) {
  const auto begin = static_cast<std::int64_t>(data_begin + entry.begin);
  const auto end = static_cast<std::int64_t>(data_begin + entry.end);
  const at::Tensor own = bytes.slice(0, begin, end);
  const bool is_aligned = begin % static_cast<std::int64_t>(c10::elementSize(entry.type)) == 0;
  return (is_aligned ? own : own.clone()).view(entry.type).view(entry.shape);
}

}  // namespace

SafetensorsFile read_safetensors(const std::filesystem::path& path) {
  OpenedFile opened = open_file(path);
  SafetensorsFile file{{}, std::move(opened.metadata)};
  for (const Entry& entry : opened.entries) {
    at::Tensor tensor = at::empty(entry.shape, entry.type);
    opened.in.read(static_cast<char*>(tensor.mutable_data_ptr()),
                   static_cast<std::streamsize>(tensor.nbytes()));
    if (!opened.in) reject(path, entry.name, "cannot be read");
    file.tensors.emplace_back(entry.name, std::move(tensor));
  }
  return file;
}

SafetensorsFile map_safetensors(const std::filesystem::path& path) {
  OpenedFile opened = open_file(path);
  const at::Tensor bytes = at::from_file(path.string(), /*shared=*/false,
                                         static_cast<std::int64_t>(opened.size_bytes), at::kByte);
  SafetensorsFile file{{}, std::move(opened.metadata)};
  for (const Entry& entry : opened.entries) {
    file.tensors.emplace_back(entry.name, view_of(bytes, entry, opened.data_begin));
  }
  return file;
}

}  // namespace effuse
