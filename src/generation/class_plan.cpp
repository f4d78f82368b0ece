#include "generation/class_plan.hpp"

#include <algorithm>
#include <fstream>
#include <numeric>
#include <optional>

#include "core/error.hpp"
#include "core/number_pair.hpp"
#include "core/text.hpp"
#include "generation/class_spread.hpp"

namespace effuse {
namespace {

/// `where` begins the message of the error.
std::int64_t class_called(const std::string& word, std::span<const std::string> names,
                          const std::string& where) {
  const auto found = std::find(names.begin(), names.end(), word);
  if (found != names.end()) return found - names.begin();
  const auto number = plain_number(word);
  if (number && *number < static_cast<std::int64_t>(names.size())) return *number;
  const std::string near = nearest_name(word, names);
  throw ConfigError(cat(where, ": the model knows no class ", word, " (it has ", names.size(),
                        ", numbered from 0)",
                        near.empty() ? "." : cat(". Did you mean ", near, "?")));
}

}  // namespace

ClassPlan::ClassPlan(std::span<const std::string> wanted, std::span<const std::string> names) {
  const bool all = wanted.size() == 1 && wanted[0] == "all";
  if (names.empty()) {
    if (!all) {
      throw ConfigError(
          "sampling.classes names classes, but the model was trained without any. "
          "Leave it out.");
    }
    return;
  }
  if (all) {
    classes_.resize(names.size());
    std::iota(classes_.begin(), classes_.end(), std::int64_t{0});
    return;
  }
  for (const std::string& word : wanted) {
    classes_.push_back(class_called(word, names, "sampling.classes"));
  }
}

ClassPlan ClassPlan::of_file(const std::filesystem::path& file,
                             std::span<const std::string> names) {
  if (names.empty()) {
    throw ConfigError(
        "sampling.classes_file names classes, but the model was trained without any. Leave it "
        "out.");
  }
  std::ifstream in(file);
  if (!in) throw ConfigError(cat("sampling.classes_file: ", file.string(), " cannot be read"));
  ClassPlan plan;
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    const std::string where =
        cat("sampling.classes_file: ", file.string(), ", line ", plan.classes_.size() + 1);
    plan.classes_.push_back(class_called(line, names, where));
  }
  if (plan.classes_.empty()) {
    throw ConfigError(cat("sampling.classes_file: ", file.string(),
                          " is empty. Give the name or number of a class in each line."));
  }
  return plan;
}

ClassPlan ClassPlan::of_counts(std::span<const std::int64_t> counts, std::int64_t images) {
  ClassPlan plan;
  plan.classes_ = spread_classes(counts, images);
  return plan;
}

ClassPlan ClassPlan::of_labels(std::span<const std::int64_t> labels,
                               std::span<const std::string> names) {
  if (names.empty()) {
    throw ConfigError(
        "sampling.labels names classes, but the model was trained without any. Leave it out.");
  }
  ClassPlan plan;
  for (const std::int64_t label : labels) {
    if (label < 0 || label >= static_cast<std::int64_t>(names.size())) {
      throw ConfigError(cat("sampling.labels has ", label, ", but the model has ", names.size(),
                            " classes, numbered from 0."));
    }
    plan.classes_.push_back(label);
  }
  return plan;
}

std::int64_t ClassPlan::label(std::int64_t index) const {
  if (classes_.empty()) return 0;
  return classes_[static_cast<std::size_t>(index % static_cast<std::int64_t>(classes_.size()))];
}

}  // namespace effuse
