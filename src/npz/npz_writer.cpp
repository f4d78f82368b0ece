#include "npz/npz_writer.hpp"

#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <list>
#include <system_error>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/temporary_path.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

/// An array as libzip asks for it.
struct Member {
  std::string header;
  std::size_t size_bytes = 0;  ///< of the elements
  NpzWriter::Source source;
  std::size_t position = 0;     ///< of the next byte, header included
  std::exception_ptr* failure;  ///< what the source threw

  std::size_t total() const { return header.size() + size_bytes; }

  std::size_t read(std::span<std::byte> out) {
    std::size_t done = 0;
    if (position < header.size()) {
      done = std::min(out.size(), header.size() - position);
      std::memcpy(out.data(), header.data() + position, done);
    }
    const std::size_t rest = std::min(out.size() - done, total() - position - done);
    if (rest > 0) source(out.subspan(done, rest));
    position += done + rest;
    return done + rest;
  }
};

zip_int64_t describe_member(const Member& member, void* data) {
  auto* stat = static_cast<zip_stat_t*>(data);
  zip_stat_init(stat);
  stat->valid = ZIP_STAT_SIZE | ZIP_STAT_MTIME;
  stat->size = member.total();
  stat->mtime = 315532800;  // 1980: the same arrays give the same bytes
  return sizeof(zip_stat_t);
}

zip_int64_t serve(void* state, void* data, zip_uint64_t length, zip_source_cmd_t command) {
  auto& member = *static_cast<Member*>(state);
  switch (command) {
    case ZIP_SOURCE_SUPPORTS:
      return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE,
                                            ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, -1);
    case ZIP_SOURCE_STAT:
      return describe_member(member, data);
    case ZIP_SOURCE_READ:
      try {
        return static_cast<zip_int64_t>(
            member.read({static_cast<std::byte*>(data), static_cast<std::size_t>(length)}));
      } catch (...) {
        *member.failure = std::current_exception();
        return -1;
      }
    case ZIP_SOURCE_ERROR: {
      const std::array<int, 2> codes{ZIP_ER_READ, EIO};
      std::memcpy(data, codes.data(), sizeof(codes));
      return sizeof(codes);
    }
    default:
      return 0;
  }
}

}  // namespace

struct NpzWriter::Archive {
  std::filesystem::path path;
  std::filesystem::path temporary;
  TemporaryPath cleanup;
  zip_t* zip = nullptr;
  std::list<Member> members;
  std::exception_ptr failure;

  explicit Archive(std::filesystem::path file)
      : path(std::move(file)), temporary(temporary_sibling(path)), cleanup(temporary) {
    int code = 0;
    zip = zip_open(temporary.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
    if (zip == nullptr) throw std::system_error(errno, std::generic_category(), path.string());
  }
  ~Archive() {
    if (zip != nullptr) zip_discard(zip);
  }
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  [[noreturn]] void fail(int system_error) const {
    if (failure) std::rethrow_exception(failure);
    throw std::system_error(system_error, std::generic_category(), path.string());
  }
};

NpzWriter::NpzWriter(std::filesystem::path path)
    : archive_(std::make_unique<Archive>(std::move(path))) {}
NpzWriter::~NpzWriter() = default;

void NpzWriter::add(const std::string& name, const ArrayInfo& info,
                    std::span<const std::byte> bytes) {
  if (bytes.size() != info.size_bytes()) {
    throw Error(cat("array ", name, " is ", describe(info), ", but has ", bytes.size(), " bytes"));
  }
  add(name, info,
      [copy = std::vector<std::byte>(bytes.begin(), bytes.end()),
       position = std::size_t{0}](std::span<std::byte> out) mutable {
        std::memcpy(out.data(), copy.data() + position, out.size());
        position += out.size();
      });
}

void NpzWriter::add(const std::string& name, const ArrayInfo& info, Source source) {
  Member& member = archive_->members.emplace_back(
      Member{npy_header(info), info.size_bytes(), std::move(source), 0, &archive_->failure});
  zip_source_t* made = zip_source_function(archive_->zip, &serve, &member);
  const zip_int64_t index = made == nullptr ? -1
                                            : zip_file_add(archive_->zip, cat(name, ".npy").c_str(),
                                                           made, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    if (made != nullptr) zip_source_free(made);
    throw Error(cat(archive_->path.string(), ": array ", name, ": ", zip_strerror(archive_->zip)));
  }
  zip_set_file_compression(archive_->zip, static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
}

void NpzWriter::add_text(const std::string& name, std::string_view text) {
  std::vector<std::uint32_t> characters;
  for (const char character : text) characters.push_back(static_cast<unsigned char>(character));
  if (characters.empty()) characters.push_back(0);  // numpy has no text of length 0
  add(name, {ArrayType::text, {}, static_cast<std::int64_t>(characters.size())},
      std::as_bytes(std::span(characters)));
}

void NpzWriter::commit(Flush flush) {
  zip_t* zip = std::exchange(archive_->zip, nullptr);
  if (zip_close(zip) != 0) {
    const int system_error = zip_error_code_system(zip_get_error(zip));
    zip_discard(zip);
    archive_->fail(system_error);
  }
  if (flush == Flush::no) {
    std::filesystem::rename(archive_->temporary, archive_->path);
    return;
  }
  sync_to_disk(archive_->temporary);
  rename_durably(archive_->temporary, archive_->path);
}

}  // namespace effuse
