#include "app/job_identity.hpp"

#include <cstdlib>
#include <exception>
#include <random>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/checksum.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/temporary_path.hpp"
#include "core/text.hpp"
#include "core/user_name.hpp"

namespace effuse {
namespace {

constexpr std::size_t kHashDigits = 8;

bool is_hash(std::string_view text) {
  return text.size() == kHashDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string hash_of(const std::filesystem::path& folder, std::string_view mark) {
  const std::filesystem::path place = std::filesystem::weakly_canonical(folder);
  return sha256_of(cat(without_trailing_slash(place).string(), " ", mark)).substr(0, kHashDigits);
}

std::string drawn_mark() {
  std::random_device random;
  return cat(random(), "-", random());
}

}  // namespace

JobIdentity::JobIdentity(std::string program, std::string name, const std::filesystem::path& folder,
                         std::string_view mark)
    : program_(std::move(program)),
      user_(user_name()),
      name_(std::move(name)),
      hash_(hash_of(folder, mark)) {}

metrics::Labels JobIdentity::labels(int rank) const {
  metrics::Labels labels{
      {"job", program_}, {"user", user_}, {"run", name_}, {"rank", std::to_string(rank)}};
  if (const char* job = std::getenv("SLURM_JOB_ID")) labels["slurm_job"] = job;
  return labels;
}

std::string JobIdentity::file_name() const {
  return cat(program_, ".", user_, ".", name_, ".", hash_);
}

void JobIdentity::warn_of_namesake(const std::filesystem::path& targets) const {
  const std::string own = file_name();
  const std::string_view common = std::string_view(own).substr(0, own.size() - kHashDigits);
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator(targets, problem)) {
    const std::string file = entry.path().filename();
    if (!file.starts_with(common) || file.starts_with(own)) continue;
    const std::string_view rest = std::string_view(file).substr(common.size());
    if (!is_hash(rest.substr(0, rest.find('.')))) continue;  // its name has dots
    log::warning("another job called ", name_, " is in Prometheus' folder (", entry.path().string(),
                 "): it would be shown together with this one as one. Give them different names; "
                 "if the other has ended, remove that file.");
    return;
  }
}

std::string mark_of_folder(const std::filesystem::path& file) {
  try {
    if (std::filesystem::exists(file)) return read_file(file);
    std::filesystem::create_directories(file.parent_path());
    const std::string mark = drawn_mark();
    write_file_atomically(file, mark);
    return mark;
  } catch (const std::exception&) {
    return drawn_mark();
  }
}

}  // namespace effuse
