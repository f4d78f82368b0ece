#include "exchange/legacy_torch_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "exchange/pickle_reader.hpp"

// The layout is that of _legacy_save in torch/serialization.py.
namespace effuse {
namespace {

/// 0x1950a86a20f9469cfc6c as a pickle has it: an integer of ten bytes.
constexpr std::string_view kMagic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
constexpr std::int64_t kVersion = 1001;
constexpr std::size_t kHead_bytes = 64;
constexpr std::uint64_t kMaxPickles_bytes = 16 << 20;
constexpr std::uint64_t kCount_bytes = 8;

/// Behind the magic number; 0 where `bytes` do not begin with it.
std::size_t end_of_magic(std::string_view bytes) {
  if (bytes.size() < 2 || bytes[0] != '\x80' || bytes[1] < 2 || bytes[1] > 5) return 0;
  std::size_t place = 2;
  if (bytes.substr(place).starts_with('\x95')) place += 9;  // protocol 4 puts it in a frame
  if (place > bytes.size() || !bytes.substr(place).starts_with(kMagic)) return 0;
  return place + kMagic.size();
}

class LegacyFile : public TorchStorages {
 public:
  explicit LegacyFile(const std::filesystem::path& path);

  /// Reads the pickles and finds the storages. Once.
  PickleDocument open();

  std::string name(const std::string& key) const override { return cat("storage ", key); }
  std::uint64_t size_bytes(const std::string& key) const override { return place(key).size_bytes; }
  void read(const std::string& key, std::span<std::byte> out) const override;

 private:
  struct Place {
    std::uint64_t offset = 0;
    std::uint64_t size_bytes = 0;
  };

  [[noreturn]] void reject(const std::string& problem) const;
  void read_at(std::uint64_t offset, std::span<std::byte> out) const;
  void check_machine(const PickleNode& info) const;
  std::map<std::string, std::uint64_t> element_sizes(const PickleDocument& document) const;
  void find_storages(const PickleNode& keys, const std::map<std::string, std::uint64_t>& sizes,
                     std::uint64_t offset);
  const Place& place(const std::string& key) const;

  std::filesystem::path path_;
  std::uint64_t file_bytes_ = 0;
  std::map<std::string, Place> places_;
};

LegacyFile::LegacyFile(const std::filesystem::path& path) : path_(path) {
  std::error_code problem;
  file_bytes_ = std::filesystem::file_size(path_, problem);
  if (problem) throw CheckpointError(cat("cannot read ", path_.string(), ": ", problem.message()));
}

void LegacyFile::reject(const std::string& problem) const {
  throw CheckpointError(cat(path_.string(), " is no whole file of torch.save before 1.6: ", problem,
                            ". Copy it again?"));
}

void LegacyFile::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset > file_bytes_ || out.size() > file_bytes_ - offset) {
    reject(cat("it speaks of ", out.size(), " bytes at ", offset, ", but has ", file_bytes_,
               " (truncated?)"));
  }
  std::ifstream in(path_, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(offset));
  in.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
  if (!in) throw CheckpointError(cat("cannot read ", path_.string(), ": ", std::strerror(errno)));
}

PickleDocument LegacyFile::open() {
  std::string head(std::min(file_bytes_, kMaxPickles_bytes), '\0');
  read_at(0, std::as_writable_bytes(std::span(head)));
  std::size_t place = end_of_magic(head);
  if (place == 0) reject("it does not begin with the magic number");
  const auto next = [&](const char* what) {
    PickleDocument document =
        read_pickle(std::string_view(head).substr(place), cat(path_.string(), ": ", what));
    place += document.size_bytes;
    return document;
  };
  const PickleDocument version = next("its version");
  const auto* number = version.root->as<std::int64_t>();
  if (number == nullptr || *number != kVersion) reject(cat("its version is not ", kVersion));
  check_machine(*next("its description of the machine").root);
  PickleDocument value = next("its value");
  const PickleDocument keys = next("its list of storages");
  find_storages(*keys.root, element_sizes(value), place);
  return value;
}

void LegacyFile::check_machine(const PickleNode& info) const {
  const auto* dict = info.as<PickleDict>();
  const PickleNode* little = dict == nullptr ? nullptr : find(*dict, "little_endian");
  const bool* answer = little == nullptr ? nullptr : little->as<bool>();
  if (answer == nullptr) reject("it does not say the order of its bytes");
  if (!*answer) {
    throw CheckpointError(
        cat(path_.string(),
            " has big-endian numbers, which Effuse does not read. Save it again on another "
            "machine"));
  }
}

/// The file gives storages lengths in elements, whose types are those of the tensors that use them.
std::map<std::string, std::uint64_t> LegacyFile::element_sizes(
    const PickleDocument& document) const {
  std::map<std::string, std::uint64_t> sizes;
  for (const PickleNode& node : document.nodes) {
    const auto* storage = node.as<PickleStorage>();
    if (storage == nullptr) continue;
    const std::uint64_t size = c10::elementSize(storage->type);
    if (sizes.emplace(storage->key, size).first->second != size) {
      reject(cat(name(storage->key), " is described in two ways"));
    }
  }
  return sizes;
}

void LegacyFile::find_storages(const PickleNode& keys,
                               const std::map<std::string, std::uint64_t>& sizes,
                               std::uint64_t offset) {
  const auto* list = keys.as<PickleList>();
  if (list == nullptr) reject("its list of storages is missing");
  for (const PickleNode* item : list->items) {
    const auto* key = item->as<std::string>();
    if (key == nullptr) reject("its list of storages holds more than their keys");
    const auto size = sizes.find(*key);
    if (size == sizes.end()) reject(cat(name(*key), " belongs to no tensor"));
    std::int64_t count = 0;
    read_at(offset, std::as_writable_bytes(std::span(&count, 1)));
    offset += kCount_bytes;
    if (count < 0 || static_cast<std::uint64_t>(count) > (file_bytes_ - offset) / size->second) {
      reject(cat(name(*key), " claims ", count, " elements at ", offset, ", but the file has ",
                 file_bytes_, " bytes (truncated?)"));
    }
    const Place found{offset, static_cast<std::uint64_t>(count) * size->second};
    if (!places_.emplace(*key, found).second) reject(cat("it holds ", name(*key), " twice"));
    offset += found.size_bytes;
  }
  if (offset != file_bytes_) {
    reject(cat(file_bytes_ - offset, " bytes follow the last storage"));
  }
}

const LegacyFile::Place& LegacyFile::place(const std::string& key) const {
  const auto found = places_.find(key);
  if (found == places_.end()) reject(cat("it lacks ", name(key)));
  return found->second;
}

void LegacyFile::read(const std::string& key, std::span<std::byte> out) const {
  const Place& wanted = place(key);
  if (out.size() != wanted.size_bytes) {
    reject(cat(name(key), " has ", wanted.size_bytes, " bytes instead of ", out.size()));
  }
  read_at(wanted.offset, out);
}

}  // namespace

bool is_legacy_torch_file(const std::filesystem::path& path) {
  std::string head(kHead_bytes, '\0');
  std::ifstream in(path, std::ios::binary);
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(in.gcount()));
  return end_of_magic(head) != 0;
}

TorchParts open_legacy_torch_file(const std::filesystem::path& path) {
  auto file = std::make_unique<LegacyFile>(path);
  PickleDocument document = file->open();
  return {std::move(document), std::move(file)};
}

}  // namespace effuse
