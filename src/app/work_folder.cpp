#include "app/work_folder.hpp"

#include <system_error>

#include "core/log.hpp"
#include "core/text.hpp"

namespace effuse {

WorkFolder::WorkFolder(const EvaluationConfig& config)
    : result_(config.output.empty() ? config.save_statistics : config.output) {
  if (result_.empty()) return;
  result_ = std::filesystem::absolute(result_);
  path_ = result_;
  path_ += ".parts";
}

std::filesystem::path WorkFolder::side(const char* name) const {
  return exists() ? path_ / name : std::filesystem::path();
}

std::unique_ptr<LockFile> WorkFolder::lock() const {
  std::filesystem::create_directories(result_.parent_path());
  return std::make_unique<LockFile>(
      result_.parent_path() / cat(".", path_.filename().string(), ".lock"), result_.string(),
      "Wait for it, or choose another --output.");
}

void WorkFolder::remove() const {
  for (const std::filesystem::path& folder : {images(), reference()}) {
    std::error_code error;
    std::filesystem::remove_all(folder, error);
    if (error) log::warning(folder.string(), " could not be removed: ", error.message());
  }
  std::error_code holds_something_else;
  std::filesystem::remove(path_, holds_something_else);
}

}  // namespace effuse
