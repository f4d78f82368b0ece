#include "app/outcome_flag.hpp"

#include "app/outcome.hpp"
#include "app/result_files.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {

ExtraFlag outcome_flag() {
  return {"--outcome",
          "write here, as JSON, how the job ended: for scripts, since launchers blur exit codes",
          "FILE"};
}

std::filesystem::path outcome_file(const CommandLine& line) {
  if (!line.has("outcome")) return {};
  const std::filesystem::path file = line.extras.at("outcome").back();
  if (file.empty()) throw ConfigError("--outcome wants the name of a file, which is empty");
  return file;
}

void require_outcome_file(const std::filesystem::path& file) {
  require_writable(file, "--outcome");
  if (may_become_outcome(file)) return;
  throw ConfigError(cat("--outcome: ", file.string(),
                        " is there and holds something else, which would be lost. Choose another "
                        "name."));
}

std::unique_ptr<LockFile> claim_outcome(const std::filesystem::path& file) {
  require_outcome_file(file);
  const std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
  std::filesystem::create_directories(folder);
  auto lock =
      std::make_unique<LockFile>(folder / cat(".", file.filename().string(), ".lock"),
                                 file.string(), "Wait for it, or choose another --outcome.");
  begin_outcome(file, 0, "continue");
  return lock;
}

}  // namespace effuse
