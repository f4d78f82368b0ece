#include "exchange/zip_archive.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

// Offsets and signatures are those of PKWARE's APPNOTE.TXT 6.3, sections 4.3.7 to 4.3.16.
namespace effuse {
namespace {

constexpr std::string_view kLocalHeader = "PK\x03\x04";
constexpr std::string_view kDirectoryEntry = "PK\x01\x02";
constexpr std::string_view kEnd = "PK\x05\x06";
constexpr std::string_view kLargeEnd = "PK\x06\x06";
constexpr std::string_view kLargeEndLocator = "PK\x06\x07";
constexpr std::uint64_t kLocalHeader_bytes = 30;
constexpr std::uint64_t kDirectoryEntry_bytes = 46;
constexpr std::uint64_t kEnd_bytes = 22;
constexpr std::uint64_t kLargeEnd_bytes = 56;
constexpr std::uint64_t kLargeEndLocator_bytes = 20;
constexpr std::uint64_t kMaxComment_bytes = 65535;
constexpr std::uint64_t kMaxDirectory_bytes = 64 << 20;
constexpr std::uint32_t kInZip64 = 0xFFFFFFFF;

/// A little-endian number of `count` bytes; the caller has checked that they are there.
std::uint64_t number(std::string_view bytes, std::size_t offset, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(bytes[offset + i])} << (8 * i);
  }
  return value;
}

/// The zip64 field of a member's extra fields; empty where there is none.
std::string_view zip64_field(std::string_view extra) {
  while (extra.size() >= 4) {
    const std::uint64_t id = number(extra, 0, 2);
    const std::uint64_t size = std::min<std::uint64_t>(number(extra, 2, 2), extra.size() - 4);
    if (id == 1) return extra.substr(4, size);
    extra.remove_prefix(4 + size);
  }
  return {};
}

}  // namespace

ZipArchive::ZipArchive(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code problem;
  file_bytes_ = std::filesystem::file_size(path_, problem);
  if (problem) throw CheckpointError(cat("cannot read ", path_.string(), ": ", problem.message()));
  read_members(find_directory());
}

bool ZipArchive::is_one(const std::filesystem::path& path) {
  std::array<char, 4> first{};
  std::ifstream in(path, std::ios::binary);
  in.read(first.data(), first.size());
  return in && std::string_view(first.data(), first.size()) == kLocalHeader;
}

void ZipArchive::reject(const std::string& problem) const {
  throw CheckpointError(
      cat(path_.string(), " is no whole file of torch.save: ", problem, ". Copy it again?"));
}

std::string ZipArchive::bytes_at(std::uint64_t offset, std::uint64_t count) const {
  if (offset > file_bytes_ || count > file_bytes_ - offset) {
    reject(cat("it speaks of ", count, " bytes at ", offset, ", but has ", file_bytes_,
               " (truncated?)"));
  }
  std::string bytes(count, '\0');
  std::ifstream in(path_, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(offset));
  in.read(bytes.data(), static_cast<std::streamsize>(count));
  if (!in) throw CheckpointError(cat("cannot read ", path_.string(), ": ", std::strerror(errno)));
  return bytes;
}

ZipArchive::Directory ZipArchive::find_directory() const {
  const std::uint64_t tail = std::min(file_bytes_, kEnd_bytes + kMaxComment_bytes);
  const std::string bytes = bytes_at(file_bytes_ - tail, tail);
  const std::size_t place = bytes.rfind(kEnd);
  if (place == std::string::npos || bytes.size() - place < kEnd_bytes) {
    reject("the directory at its end is missing (truncated?)");
  }
  const std::uint64_t end_offset = file_bytes_ - tail + place;
  Directory directory{number(bytes, place + 16, 4), number(bytes, place + 12, 4),
                      number(bytes, place + 10, 2)};
  const bool large = directory.offset == kInZip64 || directory.size_bytes == kInZip64 ||
                     directory.members == 0xFFFF;
  if (large) directory = find_large_directory(end_offset);
  if (directory.size_bytes > kMaxDirectory_bytes) reject("its directory is too large");
  return directory;
}

ZipArchive::Directory ZipArchive::find_large_directory(std::uint64_t end_offset) const {
  if (end_offset < kLargeEndLocator_bytes) reject("its zip64 directory is missing");
  const std::string locator = bytes_at(end_offset - kLargeEndLocator_bytes, kLargeEndLocator_bytes);
  if (!locator.starts_with(kLargeEndLocator)) reject("its zip64 directory is missing");
  const std::string end = bytes_at(number(locator, 8, 8), kLargeEnd_bytes);
  if (!end.starts_with(kLargeEnd)) reject("its zip64 directory is missing");
  return {number(end, 48, 8), number(end, 40, 8), number(end, 32, 8)};
}

void ZipArchive::read_members(const Directory& directory) {
  const std::string bytes = bytes_at(directory.offset, directory.size_bytes);
  std::string_view rest = bytes;
  for (std::uint64_t i = 0; i < directory.members; ++i) {
    if (rest.size() < kDirectoryEntry_bytes || !rest.starts_with(kDirectoryEntry)) {
      reject(cat("its directory ends after ", i, " of ", directory.members, " members"));
    }
    const std::uint64_t name_bytes = number(rest, 28, 2);
    const std::uint64_t extra_bytes = number(rest, 30, 2);
    const std::uint64_t whole =
        kDirectoryEntry_bytes + name_bytes + extra_bytes + number(rest, 32, 2);
    if (rest.size() < whole) reject("its directory is cut short");
    const std::string name(rest.substr(kDirectoryEntry_bytes, name_bytes));
    const std::string extra(rest.substr(kDirectoryEntry_bytes + name_bytes, extra_bytes));
    const std::string entry(rest.substr(0, kDirectoryEntry_bytes));
    if (!members_.emplace(name, member_of(entry, extra, name)).second) {
      reject(cat("it holds ", name, " twice"));
    }
    rest.remove_prefix(whole);
  }
}

ZipArchive::Member ZipArchive::member_of(const std::string& entry, const std::string& extra,
                                         const std::string& name) const {
  if ((number(entry, 8, 2) & 1) != 0) reject(cat(name, " is encrypted"));
  if (number(entry, 10, 2) != 0) {
    reject(cat(name, " is compressed, which torch.save never does (was the file zipped again?)"));
  }
  Member member{number(entry, 42, 4), number(entry, 24, 4),
                static_cast<std::uint32_t>(number(entry, 16, 4))};
  std::uint64_t stored_bytes = number(entry, 20, 4);
  std::string_view field = zip64_field(extra);
  for (std::uint64_t* value : {&member.size_bytes, &stored_bytes, &member.header_offset}) {
    if (*value != kInZip64) continue;
    if (field.size() < 8) reject(cat("the size of ", name, " is missing"));
    *value = number(field, 0, 8);
    field.remove_prefix(8);
  }
  if (stored_bytes != member.size_bytes) reject(cat(name, " has two sizes"));
  if (member.size_bytes > file_bytes_) {
    reject(cat(name, " claims ", member.size_bytes, " bytes, the whole file has ", file_bytes_));
  }
  return member;
}

std::vector<std::string> ZipArchive::names() const {
  std::vector<std::string> names;
  for (const auto& [name, member] : members_) names.push_back(name);
  return names;
}

const ZipArchive::Member& ZipArchive::member(const std::string& name) const {
  const auto found = members_.find(name);
  if (found == members_.end()) reject(cat("it lacks ", name));
  return found->second;
}

std::uint64_t ZipArchive::size_bytes(const std::string& name) const {
  return member(name).size_bytes;
}

std::uint64_t ZipArchive::data_offset(const Member& member, const std::string& name) const {
  const std::string header = bytes_at(member.header_offset, kLocalHeader_bytes);
  if (!header.starts_with(kLocalHeader)) reject(cat(name, " is not where the directory says"));
  const std::uint64_t offset =
      member.header_offset + kLocalHeader_bytes + number(header, 26, 2) + number(header, 28, 2);
  if (offset > file_bytes_ || member.size_bytes > file_bytes_ - offset) {
    reject(cat(name, " goes beyond the end of the file (truncated?)"));
  }
  return offset;
}

void ZipArchive::read(const std::string& name, std::span<std::byte> out) const {
  const Member& wanted = member(name);
  const std::uint64_t offset = data_offset(wanted, name);
  if (out.size() != wanted.size_bytes) {
    reject(cat(name, " has ", wanted.size_bytes, " bytes instead of ", out.size()));
  }
  std::ifstream in(path_, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(offset));
  in.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
  if (!in) throw CheckpointError(cat("cannot read ", path_.string(), ": ", std::strerror(errno)));
  if (crc32(out) != wanted.crc32) {
    reject(cat("the contents of ", name, " have changed (their CRC-32 is not the directory's)"));
  }
}

std::string ZipArchive::read_text(const std::string& name) const {
  std::string text(size_bytes(name), '\0');
  read(name, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace effuse
