#include "exchange/torch_archive.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "exchange/pickle_reader.hpp"
#include "exchange/zip_archive.hpp"

namespace effuse {
namespace {

constexpr std::string_view kPickle = "data.pkl";

class ArchivedStorages : public TorchStorages {
 public:
  ArchivedStorages(ZipArchive archive, const std::string& prefix)
      : archive_(std::move(archive)), prefix_(cat(prefix, "data/")) {}

  std::string name(const std::string& key) const override { return prefix_ + key; }
  std::uint64_t size_bytes(const std::string& key) const override {
    return archive_.size_bytes(name(key));
  }
  void read(const std::string& key, std::span<std::byte> out) const override {
    archive_.read(name(key), out);
  }

 private:
  ZipArchive archive_;
  std::string prefix_;  ///< "archive/data/"
};

[[noreturn]] void reject(const std::filesystem::path& path, std::string_view problem) {
  throw CheckpointError(cat(path.string(), " is no file of torch.save: ", problem));
}

/// The folder that holds data.pkl: "archive/".
std::string find_prefix(const ZipArchive& archive, const std::filesystem::path& path) {
  std::string found;
  for (const std::string& name : archive.names()) {
    if (!name.ends_with(kPickle)) continue;
    const std::string prefix = name.substr(0, name.size() - kPickle.size());
    if (std::count(prefix.begin(), prefix.end(), '/') > 1) continue;
    if (!found.empty()) reject(path, "it holds data.pkl twice");
    found = prefix;
  }
  if (!archive.has(cat(found, kPickle))) reject(path, "it is a zip file without data.pkl");
  return found;
}

void check_byte_order(const ZipArchive& archive, const std::string& prefix,
                      const std::filesystem::path& path) {
  const std::string record = prefix + "byteorder";
  if (!archive.has(record) || archive.read_text(record) == "little") return;
  reject(
      path,
      "its numbers are big-endian, which Effuse does not read. Save it again on another machine");
}

}  // namespace

TorchParts open_torch_archive(const std::filesystem::path& path) {
  ZipArchive archive(path);
  const std::string prefix = find_prefix(archive, path);
  check_byte_order(archive, prefix, path);
  PickleDocument document =
      read_pickle(archive.read_text(cat(prefix, kPickle)), cat(path.string(), ": data.pkl"));
  return {std::move(document), std::make_unique<ArchivedStorages>(std::move(archive), prefix)};
}

}  // namespace effuse
