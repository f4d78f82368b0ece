#include "npz/npz_reader.hpp"

#include <zip.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

constexpr std::string_view kSuffix = ".npy";
constexpr std::size_t kLargestHeader = std::size_t{1} << 16;

struct CloseZip {
  void operator()(zip_t* zip) const { zip_discard(zip); }
};
struct CloseMember {
  void operator()(zip_file_t* member) const { zip_fclose(member); }
};

std::unique_ptr<zip_t, CloseZip> open_zip(const std::filesystem::path& path) {
  int code = 0;
  zip_t* zip = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (zip == nullptr) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string reason = zip_error_strerror(&error);
    zip_error_fini(&error);
    throw DataError(cat(path.string(), " cannot be read as .npz: ", reason));
  }
  return std::unique_ptr<zip_t, CloseZip>(zip);
}

}  // namespace

struct NpzReader::Archive {
  std::filesystem::path path;
  std::unique_ptr<zip_t, CloseZip> zip;

  std::string where(const std::string& name) const { return cat(path.string(), ": ", name); }
};

/// One array, read from front to back.
struct NpzReader::Stream {
  Stream(const Archive& archive, std::string array) : name(std::move(array)) {
    where = archive.where(name);
    member.reset(zip_fopen(archive.zip.get(), (name + std::string(kSuffix)).c_str(), 0));
    if (!member) throw DataError(cat(where, ": ", zip_strerror(archive.zip.get())));
    std::string header(kNpyStartBytes, '\0');
    read(std::as_writable_bytes(std::span(header)));
    const std::size_t size = npy_header_bytes(header);
    if (size < kNpyStartBytes || size > kLargestHeader) {
      throw DataError(cat(where, ": is no array of numpy"));
    }
    header.resize(size);
    read(std::as_writable_bytes(std::span(header).subspan(kNpyStartBytes)));
    info = parse_npy_header(header, where);
    header_bytes = size;
    is_compressed = compression_of(archive) != ZIP_CM_STORE;
  }

  zip_uint16_t compression_of(const Archive& archive) const {
    zip_stat_t stat;
    zip_stat_init(&stat);
    zip_stat(archive.zip.get(), (name + std::string(kSuffix)).c_str(), 0, &stat);
    return stat.comp_method;
  }

  void read(std::span<std::byte> out) {
    while (!out.empty()) {
      const zip_int64_t count = zip_fread(member.get(), out.data(), out.size());
      if (count < 0) {
        const char* reason = zip_error_strerror(zip_file_get_error(member.get()));
        throw DataError(cat(where, ": is damaged (", reason, ")"));
      }
      if (count == 0) throw DataError(cat(where, ": ends too early"));
      out = out.subspan(static_cast<std::size_t>(count));
    }
  }

  /// At the end zip compares the CRC-32, which is only then known.
  void require_end() {
    std::byte beyond{};
    const zip_int64_t count = zip_fread(member.get(), &beyond, 1);
    if (count == 0) return;
    const char* reason = count > 0 ? "it goes on after its end"
                                   : zip_error_strerror(zip_file_get_error(member.get()));
    throw DataError(cat(where, ": is damaged (", reason, ")"));
  }

  void skip(std::size_t bytes) {
    std::vector<std::byte> scratch(std::min<std::size_t>(bytes, std::size_t{1} << 20));
    while (bytes > 0) {
      const std::size_t now = std::min(bytes, scratch.size());
      read(std::span(scratch).first(now));
      bytes -= now;
    }
  }

  /// Without reading; members that are not compressed alone.
  void seek(std::size_t byte) {
    if (zip_fseek(member.get(), static_cast<zip_int64_t>(header_bytes + byte), SEEK_SET) != 0) {
      throw DataError(cat(where, ": ", zip_error_strerror(zip_file_get_error(member.get()))));
    }
  }

  std::string name, where;
  std::unique_ptr<zip_file_t, CloseMember> member;
  ArrayInfo info;
  std::size_t header_bytes = 0;
  bool is_compressed = false;
  std::int64_t row = 0;  ///< that comes next
};

NpzReader::NpzReader(std::filesystem::path path)
    : archive_(std::make_unique<Archive>(Archive{path, open_zip(path)})) {}
NpzReader::~NpzReader() = default;
NpzReader::NpzReader(NpzReader&&) noexcept = default;
NpzReader& NpzReader::operator=(NpzReader&&) noexcept = default;

const std::filesystem::path& NpzReader::path() const { return archive_->path; }

std::vector<std::string> NpzReader::names() const {
  std::vector<std::string> names;
  const zip_int64_t count = zip_get_num_entries(archive_->zip.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* name = zip_get_name(archive_->zip.get(), static_cast<zip_uint64_t>(i), 0);
    if (name == nullptr || !std::string_view(name).ends_with(kSuffix)) continue;
    const std::string_view whole(name);
    names.emplace_back(whole.substr(0, whole.size() - kSuffix.size()));
  }
  return names;
}

bool NpzReader::has(const std::string& name) const {
  return zip_name_locate(archive_->zip.get(), cat(name, kSuffix).c_str(), 0) >= 0;
}

ArrayInfo NpzReader::info(const std::string& name) const { return Stream(*archive_, name).info; }

void NpzReader::read(const std::string& name, std::span<std::byte> out) const {
  Stream stream(*archive_, name);
  if (out.size() != stream.info.size_bytes()) {
    throw DataError(
        cat(stream.where, ": is ", describe(stream.info), ", not of ", out.size(), " bytes"));
  }
  stream.read(out);
  stream.require_end();
}

std::string NpzReader::read_text(const std::string& name) const {
  const ArrayInfo array = info(name);
  constexpr std::int64_t kLongest = 1 << 20;
  if (array.type != ArrayType::text || !array.shape.empty() || array.text_length > kLongest) {
    throw DataError(cat(archive_->where(name), ": is ", describe(array), ", not one text"));
  }
  std::vector<std::uint32_t> characters(static_cast<std::size_t>(array.text_length));
  read(name, std::as_writable_bytes(std::span(characters)));
  std::string text;
  for (const std::uint32_t character : characters) {
    if (character != 0) text += character < 128 ? static_cast<char>(character) : '?';
  }
  return text;
}

void NpzReader::read_rows(const std::string& name, std::int64_t first, std::int64_t count,
                          std::span<std::byte> out) {
  if (!stream_ || stream_->name != name) stream_ = std::make_unique<Stream>(*archive_, name);
  const std::size_t row_bytes = stream_->info.row_bytes();
  const bool is_inside = !stream_->info.shape.empty() && first >= 0 && count >= 0 &&
                         first + count <= stream_->info.shape.front();
  if (!is_inside || out.size() != static_cast<std::size_t>(count) * row_bytes) {
    throw DataError(cat(stream_->where, ": is ", describe(stream_->info), "; entries ", first,
                        " to ", first + count, " were asked for"));
  }
  if (!stream_->is_compressed) {
    stream_->seek(static_cast<std::size_t>(first) * row_bytes);
  } else {
    if (first < stream_->row) stream_ = std::make_unique<Stream>(*archive_, name);
    stream_->skip(static_cast<std::size_t>(first - stream_->row) * row_bytes);
  }
  stream_->read(out);
  stream_->row = first + count;
}

void NpzReader::verify(const std::string& name) const {
  Stream stream(*archive_, name);
  stream.skip(stream.info.size_bytes());
  stream.require_end();
}

}  // namespace effuse
