#include "checkpoint/file_operations.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "core/files.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

/// Large tensors are written in pieces, so that a failure can also be tried amid one.
constexpr std::size_t kWriteSize_bytes = std::size_t{8} << 20;

[[noreturn]] void fail(std::string_view what, const std::filesystem::path& path) {
  throw std::system_error(errno, std::generic_category(), cat(what, " ", path.string()));
}

}  // namespace

const char* name_of(FileOperation operation) {
  switch (operation) {
    case FileOperation::make_folder:
      return "make_folder";
    case FileOperation::create:
      return "create";
    case FileOperation::write:
      return "write";
    case FileOperation::sync:
      return "sync";
    case FileOperation::rename:
      return "rename";
    case FileOperation::exchange:
      return "exchange";
    case FileOperation::link:
      return "link";
    case FileOperation::remove:
      return "remove";
  }
  return "";
}

void FileOperations::announce(FileOperation operation, const std::filesystem::path& path) const {
  if (hook_) hook_(operation, path);
}

void FileOperations::make_folder(const std::filesystem::path& path) const {
  announce(FileOperation::make_folder, path);
  std::filesystem::create_directories(path);
}

void FileOperations::sync(const std::filesystem::path& path) const {
  announce(FileOperation::sync, path);
  sync_to_disk(path);
}

void FileOperations::rename(const std::filesystem::path& from,
                            const std::filesystem::path& to) const {
  announce(FileOperation::rename, to);
  if (::rename(from.c_str(), to.c_str()) != 0) fail("cannot rename to", to);
}

bool FileOperations::exchange(const std::filesystem::path& a,
                              const std::filesystem::path& b) const {
  const auto unsupported = [](int reason) { return reason == EINVAL || reason == ENOSYS; };
  try {
    announce(FileOperation::exchange, b);
  } catch (const std::system_error& error) {
    if (unsupported(error.code().value())) return false;
    throw;
  }
  if (::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0) return true;
  if (!unsupported(errno)) fail("cannot replace", b);
  return false;
}

void FileOperations::make_link(const std::filesystem::path& link,
                               const std::filesystem::path& target) const {
  announce(FileOperation::link, link);
  std::filesystem::create_symlink(target, link);
}

void FileOperations::remove_all(const std::filesystem::path& path) const {
  announce(FileOperation::remove, path);
  std::filesystem::remove_all(path);
}

OutputFile::OutputFile(std::filesystem::path path, const FileOperations& operations)
    : path_(std::move(path)), operations_(operations) {
  operations_.announce(FileOperation::create, path_);
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail("cannot create", path_);
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void OutputFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    operations_.announce(FileOperation::write, path_);
    const std::size_t wanted = std::min(bytes.size(), kWriteSize_bytes);
    const ssize_t written = ::write(descriptor_, bytes.data(), wanted);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write", path_);
    const auto done = bytes.first(static_cast<std::size_t>(written));
    hash_.update(done);
    size_bytes_ += done.size();
    bytes = bytes.subspan(done.size());
  }
}

void OutputFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

FileRecord OutputFile::finish() {
  operations_.announce(FileOperation::sync, path_);
  if (::fsync(descriptor_) != 0) fail("cannot flush", path_);
  if (::close(std::exchange(descriptor_, -1)) != 0) fail("cannot close", path_);
  return {size_bytes_, hash_.hex_digest()};
}

}  // namespace effuse
