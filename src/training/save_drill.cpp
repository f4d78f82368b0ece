#include "training/save_drill.hpp"

#include <csignal>
#include <string_view>
#include <system_error>

#include "core/text.hpp"

namespace effuse {
namespace {

constexpr std::string_view kKill = "kill_in_save";
constexpr std::string_view kFail = "fail_in_save";

}  // namespace

void SaveDrill::begin_save(std::int64_t step) {
  begun_ = begun_ || drill_.due_since(kKill, step) || drill_.due_since(kFail, step);
}

void SaveDrill::before(FileOperation operation, const std::filesystem::path& path) {
  if (!begun_ || ++operations_ < drill_.config().operation) return;
  if (drill_.config().fault == kKill) std::raise(SIGKILL);
  throw std::system_error(ENOSPC, std::generic_category(),
                          cat("drill: cannot ", name_of(operation), " ", path.string()));
}

}  // namespace effuse
