#include "exchange/output_path.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/temporary_path.hpp"
#include "core/text.hpp"
#include "exchange/formats.hpp"

namespace effuse {
namespace {

[[noreturn]] void refuse_existing(const std::filesystem::path& path) {
  throw ConfigError(cat(path.string(),
                        " exists already, and nothing is overwritten. Give another --output, or "
                        "remove it"));
}

/// Never replaces what came to be in the meantime, where the file system can say so.
void rename_to_new(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return;
  if (errno == EEXIST) refuse_existing(to);
  if (errno != EINVAL && errno != ENOSYS) {
    throw std::system_error(errno, std::generic_category(), to.string());
  }
  std::filesystem::rename(from, to);
}

}  // namespace

void check_output(const std::filesystem::path& path) {
  if (path.empty()) throw ConfigError("convert.output is not set. Give --output PATH.");
  if (std::filesystem::exists(std::filesystem::symlink_status(without_trailing_slash(path))))
    refuse_existing(path);
}

void write_output(const std::filesystem::path& path,
                  const std::function<void(const std::filesystem::path&)>& write) {
  check_output(path);
  const std::filesystem::path whole = without_trailing_slash(path);
  const std::filesystem::path temporary = temporary_sibling(whole);
  try {
    std::filesystem::create_directories(whole.parent_path());
    const TemporaryPath guard(temporary);
    write(temporary);
    rename_to_new(temporary, whole);
    sync_to_disk(whole.parent_path());
  } catch (const std::system_error& error) {
    throw CheckpointError(cat("cannot write ", path.string(), ": ", error.what(),
                              " (nothing is left of it). Is there space, and may this user write "
                              "there?"));
  }
}

}  // namespace effuse
