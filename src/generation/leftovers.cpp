#include "generation/leftovers.hpp"

#include <functional>
#include <string>
#include <vector>

#include "core/files.hpp"
#include "core/number_pair.hpp"

namespace effuse {
namespace {

void remove_temporaries(const std::filesystem::path& folder,
                        const std::function<bool(const std::string& name)>& is_doomed) {
  if (!std::filesystem::is_directory(folder)) return;
  std::vector<std::filesystem::path> doomed;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (is_temporary_name(entry.path()) && is_doomed(entry.path().filename().string())) {
      doomed.push_back(entry.path());
    }
  }
  for (const std::filesystem::path& path : doomed) std::filesystem::remove(path);
}

}  // namespace

void remove_leftovers(const std::filesystem::path& folder, std::int64_t first, std::int64_t end) {
  remove_temporaries(folder, [&](const std::string& name) {
    const auto number = plain_number(name.substr(1, name.find('.', 1) - 1));
    return number && *number >= first && *number < end;
  });
}

void remove_leftovers(const std::filesystem::path& folder) {
  remove_temporaries(folder, [](const std::string&) { return true; });
}

}  // namespace effuse
