#pragma once

#include <cstdint>
#include <filesystem>

#include "training/goodput.hpp"

namespace effuse {

/// The run's account of time as goodput.json has it; an empty one where there is no such file, or a
/// damaged one, of which a warning is given.
Goodput read_goodput(const std::filesystem::path& file);

/// Writes goodput.json atomically. Throws std::system_error.
void write_goodput(const std::filesystem::path& file, const Goodput& goodput);

/// The account with an attempt begun: this process, which goes on after `steps_done` steps. Written
/// at once, so that an attempt that is killed before its first step is in it; where that cannot be,
/// a warning is given.
Goodput begin_goodput(const std::filesystem::path& file, std::int64_t steps_done);

}  // namespace effuse
