#pragma once

#include <filesystem>
#include <string_view>

#include "core/text.hpp"

/// Logging for many ranks: one voice on the console, every rank's full account in its own file.
///
///   log::info("packed ", n, " images");          console of rank 0 only, file of this rank
///   log::error("shard ", path, " is damaged");   console from any rank, prefixed with the rank
namespace effuse::log {

enum class Level { debug, info, warning, error };

/// Who speaks on the console: rank 0 alone, for what all ranks would say alike; any rank; or none
/// that has a file to write to, for what is long and read by few.
enum class Voice { rank_0, any_rank, file_first };

struct Options {
  int rank = 0;
  int world_size = 1;
  Level console_level = Level::info;
  std::filesystem::path file;  ///< empty: console only; lines are appended
};

/// Sets up the console (stderr) and the file. May be called again, as when the rank becomes known.
void configure(const Options& options);

/// The one function behind the verbs below.
void write(Level level, Voice voice, std::string_view message);

template <class... Parts>
void debug(const Parts&... parts) {
  write(Level::debug, Voice::rank_0, cat(parts...));
}
template <class... Parts>
void info(const Parts&... parts) {
  write(Level::info, Voice::rank_0, cat(parts...));
}
template <class... Parts>
void warning(const Parts&... parts) {
  write(Level::warning, Voice::rank_0, cat(parts...));
}
template <class... Parts>
void local_warning(const Parts&... parts) {
  write(Level::warning, Voice::any_rank, cat(parts...));
}
/// To this rank's file; to the console where there is none.
template <class... Parts>
void record(const Parts&... parts) {
  write(Level::info, Voice::file_first, cat(parts...));
}
template <class... Parts>
void error(const Parts&... parts) {
  write(Level::error, Voice::any_rank, cat(parts...));
}

}  // namespace effuse::log
