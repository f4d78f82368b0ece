#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "config/config.hpp"

namespace effuse {

/// Reads a TOML file into `config`; keys that it does not name keep their values.
/// Throws ConfigError "FILE:LINE:COLUMN: …" for bad syntax, an unknown section or key (with the
/// nearest name), a value of the wrong type or out of range.
void read_toml_file(Config& config, const std::filesystem::path& path);

/// The same for a text; `name` stands for the file in messages.
void read_toml_text(Config& config, std::string_view text, const std::string& name);

/// Applies one override "section.key=value", the value in TOML's grammar; a string may go without
/// its quotes. Setting run.steps, run.images or run.epochs replaces the duration as a whole.
void apply_override(Config& config, const std::string& assignment);

}  // namespace effuse
