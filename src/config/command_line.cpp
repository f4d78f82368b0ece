#include "config/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "config/fields.hpp"
#include "config/toml_reader.hpp"
#include "config/toml_writer.hpp"
#include "core/text.hpp"
#include "core/version.hpp"

namespace effuse {
namespace {

/// What CLI11 collects before anything is applied to the configuration.
struct Collected {
  std::string file;
  std::vector<std::string> overrides;  ///< --set and key flags, in the order given
  std::vector<std::string> wanted;     ///< keys of --get
  std::vector<std::string> arguments;  ///< without a flag
  bool check = false;
  bool print = false;
  bool version = false;
};

void add_common_flags(CLI::App& app, Collected& collected) {
  app.add_option("--config", collected.file, "configuration file (TOML)")->type_name("FILE");
  app.add_option_function<std::vector<std::string>>(
         "--set",
         [&collected](const std::vector<std::string>& values) {
           collected.overrides.insert(collected.overrides.end(), values.begin(), values.end());
         },
         "override a key; repeatable")
      ->type_name("SECTION.KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->trigger_on_parse()
      ->allow_extra_args(false);
  app.add_flag("--check", collected.check, "validate everything, do nothing");
  app.add_flag("--print-config", collected.print, "print the resolved configuration and exit");
  app.add_option("--get", collected.wanted, "print the value of a key and exit; repeatable")
      ->type_name("SECTION.KEY")
      ->allow_extra_args(false);
  app.add_flag("--version", collected.version, "print the version and exit");
}

std::string flag_doc(const Program& program, const KeyFlag& flag) {
  Config defaults;
  std::vector<Field> fields = fields_of(defaults);
  const Field& field = find_field(fields, flag.key, program.name);
  return cat(field.doc, " [", flag.key, " = ", field.toml(), "]");
}

bool is_switch(const KeyFlag& flag) {
  Config defaults;
  std::vector<Field> fields = fields_of(defaults);
  return std::holds_alternative<bool*>(find_field(fields, flag.key, flag.flag).value);
}

void add_key_flag(CLI::App& app, const Program& program, const KeyFlag& flag,
                  Collected& collected) {
  const std::string doc = flag_doc(program, flag);
  if (is_switch(flag)) {
    app.add_flag_callback(
        flag.flag, [&collected, &flag] { collected.overrides.push_back(flag.key + "=true"); }, doc);
    return;
  }
  app.add_option_function<std::string>(
         flag.flag,
         [&collected, &flag](const std::string& value) {
           collected.overrides.push_back(cat(flag.key, "=", value));
         },
         doc)
      ->type_name("VALUE")
      ->trigger_on_parse();
}

void add_extra_flag(CLI::App& app, const ExtraFlag& flag, CommandLine& line) {
  const std::string name = flag.flag.substr(flag.flag.find_first_not_of('-'));
  if (flag.value_name.empty()) {
    app.add_flag_callback(
        flag.flag, [&line, name] { line.extras[name]; }, flag.doc);
    return;
  }
  app.add_option_function<std::string>(
         flag.flag, [&line, name](const std::string& v) { line.extras[name].push_back(v); },
         flag.doc)
      ->type_name(flag.value_name)
      ->trigger_on_parse();
}

void add_arguments(CLI::App& app, const Program& program, Collected& collected) {
  if (program.arguments.key.empty()) return;
  app.add_option(program.arguments.flag, collected.arguments, flag_doc(program, program.arguments));
}

/// Arguments are the whole value of their key, as they are: a folder's name may hold anything.
void apply_arguments(CommandLine& line, const Program& program,
                     const std::vector<std::string>& arguments) {
  if (arguments.empty()) return;
  std::vector<Field> fields = fields_of(line.config);
  Field& field = find_field(fields, program.arguments.key, program.name);
  *std::get<std::vector<std::string>*>(field.value) = arguments;
  if (const std::string complaint = field.complaint(); !complaint.empty()) {
    throw ConfigError(cat(program.arguments.flag, ": ", complaint, " (", field.doc, ")"));
  }
  line.overridden.push_back(program.arguments.key);
}

std::string complaint_about_extras(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  for (const std::string& extra : app.remaining()) {
    if (!extra.starts_with("-")) continue;
    const std::string near = nearest_name(extra.substr(0, extra.find('=')), flags);
    return cat("unknown argument ", extra, near.empty() ? "" : cat(" (did you mean ", near, "?)"));
  }
  return cat("unexpected argument ", app.remaining().front());
}

void parse_arguments(CLI::App& app, const Program& program, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    throw;
  } catch (const CLI::ExtrasError&) {
    throw ConfigError(
        cat(complaint_about_extras(app), ". ", program.name, " --help lists what there is."));
  } catch (const CLI::ParseError& error) {
    throw ConfigError(cat(error.what(), ". ", program.name, " --help lists what there is."));
  }
}

/// A line for each key: for scripts, so texts stand without quotes.
void print_values(Config& config, const std::vector<std::string>& keys) {
  std::vector<Field> fields = fields_of(config);
  for (const std::string& key : keys) {
    const Field& field = find_field(fields, key, "--get");
    const auto* text = std::get_if<std::string*>(&field.value);
    std::cout << (text != nullptr ? **text : field.toml()) << "\n";
  }
}

/// A file may hold the sections of a whole pipeline; what is said to one program is meant for it.
void require_own_section(const Program& program, const std::string& key) {
  const std::string section = key.substr(0, key.find('.'));
  const auto& own = program.sections;
  if (std::find(own.begin(), own.end(), section) != own.end()) return;
  throw ConfigError(cat(program.name, " does not use [", section, "], so ", key,
                        " would have no effect. --print-config lists the keys it uses."));
}

}  // namespace

std::optional<CommandLine> parse_command_line(const Program& program, int argc,
                                              const char* const* argv) {
  CLI::App app(program.summary, program.name);
  app.footer(cat("Examples:\n", program.examples,
                 "\nFlags are names for configuration keys, given in brackets with their defaults; "
                 "--print-config\nlists all keys. Exit codes: 0 done, 1 failure, 2 bad usage or "
                 "configuration, 3 bad data,\n75 stopped after a checkpoint (run the same command "
                 "again)."));
  Collected collected;
  CommandLine line;
  add_common_flags(app, collected);
  for (const KeyFlag& flag : program.key_flags) add_key_flag(app, program, flag, collected);
  for (const ExtraFlag& flag : program.extra_flags) add_extra_flag(app, flag, line);
  add_arguments(app, program, collected);
  try {
    parse_arguments(app, program, argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return std::nullopt;
  }
  if (collected.version) {
    std::cout << program.name << " " << version() << " (" << revision() << ")\n";
    return std::nullopt;
  }
  if (!collected.file.empty()) read_toml_file(line.config, collected.file);
  for (const std::string& override : collected.overrides) {
    apply_override(line.config, override);
    line.overridden.push_back(override.substr(0, override.find('=')));
    require_own_section(program, line.overridden.back());
  }
  apply_arguments(line, program, collected.arguments);
  if (!collected.wanted.empty()) {
    print_values(line.config, collected.wanted);
    return std::nullopt;
  }
  if (collected.print) {
    std::cout << to_toml(line.config, program.sections);
    return std::nullopt;
  }
  line.check = collected.check;
  return line;
}

}  // namespace effuse
