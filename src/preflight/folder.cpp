#include "preflight/folder.hpp"

#include <unistd.h>

#include <chrono>
#include <memory>
#include <system_error>

#include "comm/patience.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/temporary_path.hpp"
#include "core/text.hpp"
#include "preflight/gather.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

/// How long a network file system may take to show a new file on another node.
constexpr double kVisibleWithinS = 3.0;

/// A file that says who wrote it, for as long as it lives.
class Mark {
 public:
  Mark(const fs::path& folder, const std::string& host)
      : name_(cat(".effuse-preflight-mark-", host, "-", ::getpid(), "-",
                  std::chrono::system_clock::now().time_since_epoch().count())),
        file_(folder / name_) {
    try {
      write_file_atomically(folder / name_, name_);
    } catch (const std::system_error& error) {  // which names a file that nobody knows
      throw std::system_error(error.code(), "cannot write in " + folder.string());
    }
  }

  const std::string& name() const { return name_; }

 private:
  std::string name_;
  TemporaryPath file_;
};

bool can_read(const fs::path& folder, const std::string& mark) {
  for (Patience patience; patience.elapsed_s() < kVisibleWithinS; patience.pause()) {
    std::string text;
    if (error_of([&] { text = read_file(folder / mark); }).empty() && text == mark) return true;
  }
  return false;
}

}  // namespace

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FolderFacts, error, tried, sees_mark)

fs::path nearest_folder(const fs::path& folder) {
  fs::path nearest = without_trailing_slash(folder);
  while (!fs::exists(nearest) && nearest.has_relative_path()) nearest = nearest.parent_path();
  if (fs::is_directory(nearest)) return nearest;
  throw ConfigError(cat(folder.string(), " cannot be a folder: ", nearest.string(),
                        " is a file (runs could not be written there). Give another with "
                        "--folder."));
}

Finding judge_folder(const Places& places, const std::string& folder,
                     const std::vector<FolderFacts>& facts) {
  Finding finding{.check = "folder"};
  finding.add(problems_from(places, errors_of(facts)));
  if (!facts.front().error.empty()) {
    finding.result = cat(folder, ", where rank 0 cannot write");
    return finding;
  }
  finding.result = facts.front().tried == without_trailing_slash(folder).string()
                       ? folder
                       : cat(folder, ", not there yet: tried in ", facts.front().tried);
  std::vector<Complaint> blind;
  for (const Place& place : places) {
    const FolderFacts& own = facts[static_cast<std::size_t>(place.rank)];
    if (!own.error.empty() || own.sees_mark) continue;
    blind.push_back(
        {place.rank, cat("what rank 0 writes in ", folder, " cannot be read here, in ", own.tried,
                         " (a job that starts again on other nodes would not find its "
                         "checkpoints). Give --folder on a file system that all nodes share.")});
  }
  finding.add(problems_from(places, blind));
  if (blind.empty() && places.size() > 1) finding.result += ", the same at all ranks";
  return finding;
}

Finding check_folder(Communicator& comm, const Places& places, const std::string& folder) {
  FolderFacts own;
  std::unique_ptr<Mark> mark;
  own.error = error_of([&] {
    own.tried = nearest_folder(folder).string();
    if (comm.rank() == 0) mark = std::make_unique<Mark>(own.tried, places.front().host);
  });
  const std::string name = comm.broadcast_text(mark ? mark->name() : "");
  own.sees_mark = own.error.empty() && !name.empty() && can_read(own.tried, name);
  return judge_folder(places, folder, gather(comm, own));  // all have looked: the mark may go
}

}  // namespace effuse
