#include "app/final_values.hpp"

#include <exception>
#include <system_error>
#include <utility>

#include "core/files.hpp"
#include "core/log.hpp"
#include "core/unix_time.hpp"

namespace effuse {

FinalValues::FinalValues(metrics::Registry& registry, metrics::Labels identity,
                         std::vector<std::filesystem::path> files)
    : registry_(registry), identity_(std::move(identity)), files_(std::move(files)) {
  std::error_code none;
  for (const auto& file : files_) std::filesystem::remove(file, none);
}

FinalValues::~FinalValues() {
  registry_.gauge(metrics::series("effuse_train_exit_code")).set(static_cast<int>(code_));
  registry_.gauge(metrics::series("effuse_train_end_timestamp_seconds")).set(unix_time_s());
  for (const auto& file : files_) {
    try {
      std::filesystem::create_directories(file.parent_path());
      write_file_atomically(file, registry_.text(identity_));
    } catch (const std::exception& error) {
      log::local_warning("the final values of the metrics are not kept: ", error.what());
    }
  }
}

}  // namespace effuse
