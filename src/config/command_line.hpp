#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "core/error.hpp"

namespace effuse {

/// A flag that is another name for a configuration key: "--steps" for "sampling.steps".
struct KeyFlag {
  std::string flag;
  std::string key;
};

/// A flag that is no configuration key: "--fresh" (a switch), "--resume-from STEP" (with a value).
struct ExtraFlag {
  std::string flag;
  std::string doc;
  std::string value_name;  ///< empty: a switch
};

/// What a program is and accepts; --help is made from it.
struct Program {
  std::string name;                   ///< "effuse-train"
  std::string summary;                ///< one or two sentences
  std::string examples;               ///< indented lines
  std::vector<std::string> sections;  ///< those that concern it; the first is its own
  std::vector<KeyFlag> key_flags;
  std::vector<ExtraFlag> extra_flags;
  /// What arguments without a flag are: the values of a key that is a list of strings ({"RUN",
  /// "report.runs"}). Empty: there are none.
  KeyFlag arguments = {};
};

struct CommandLine {
  Config config;
  bool check = false;
  std::vector<std::string> overridden;  ///< keys given by flags and --set, in their order
  /// Extra flags given, by name without dashes; switches have an empty value. A repeated flag keeps
  /// all its values.
  std::map<std::string, std::vector<std::string>> extras;

  bool has(const std::string& extra) const { return extras.contains(extra); }
};

/// Parses the arguments every program has (--config, --set, --check, --print-config, --get,
/// --version, --help) and the program's own. Precedence: defaults, file, flags and --set in the
/// order given. Throws ConfigError for bad usage. Returns nothing where the answer was printed to
/// stdout (--help, --version, --print-config, --get) and the program is done.
std::optional<CommandLine> parse_command_line(const Program& program, int argc,
                                              const char* const* argv);

}  // namespace effuse
