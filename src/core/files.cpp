#include "core/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include "core/temporary_path.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

[[noreturn]] void fail(std::string_view what, const std::filesystem::path& path) {
  throw std::system_error(errno, std::generic_category(), cat(what, " ", path.string()));
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

std::filesystem::path temporary_sibling(const std::filesystem::path& path) {
  return folder_of(path) / cat(".", path.filename().string(), ".tmp-", ::getpid());
}

bool is_temporary_name(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with('.') && name.find(".tmp-") != std::string::npos;
}

AtomicFile::AtomicFile(std::filesystem::path path)
    : path_(std::move(path)), temporary_(temporary_sibling(path_)) {
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail("cannot create", temporary_);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!is_temporary_) return;  // another file may have the temporary name by now
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write", path_);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail("cannot flush", path_);
  if (::close(std::exchange(descriptor_, -1)) != 0) fail("cannot close", path_);
  rename_durably(temporary_, path_);
  is_temporary_ = false;
}

void write_file_atomically(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) fail("cannot open", path);
  std::error_code error;
  const auto size_bytes = std::filesystem::file_size(path, error);
  if (error) throw std::system_error(error, cat("cannot read ", path.string()));
  std::string text(size_bytes, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || in.gcount() != static_cast<std::streamsize>(text.size())) {
    fail("cannot read", path);
  }
  return text;
}

void sync_to_disk(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail("cannot open", path);
  const int result = ::fsync(descriptor);
  const int reason = errno;
  ::close(descriptor);
  errno = reason;
  if (result != 0) fail("cannot flush", path);
}

void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail("cannot rename to", to);
  sync_to_disk(folder_of(to));
}

void point_link_at(const std::filesystem::path& link, const std::filesystem::path& target) {
  const std::filesystem::path temporary = temporary_sibling(link);
  std::filesystem::remove(temporary);
  const TemporaryPath guard(temporary);
  std::filesystem::create_symlink(target, temporary);
  rename_durably(temporary, link);
}

}  // namespace effuse
