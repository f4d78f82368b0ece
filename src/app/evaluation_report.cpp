#include "app/evaluation_report.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <string_view>

#include "comm/agreement.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "image/png.hpp"

namespace effuse {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kNameWidth = 12;
constexpr std::size_t kValueWidth = 14;

std::string number_text(const Json& value) {
  return value.is_number() ? short_number(value.get<double>()) : value.dump();
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

/// What a score was computed with: all but its value.
std::string remarks_of(const Json& score) {
  std::string remarks;
  for (const auto& [key, value] : score.items()) {
    if (key == "value") continue;
    const std::string text = value.is_string()         ? value.get<std::string>()
                             : value.is_number_float() ? number_text(value)
                                                       : value.dump();
    remarks += cat(remarks.empty() ? "" : ", ", key, " ", text);
  }
  return remarks;
}

Json settings_of(const EvaluationReport& report) {
  const EvaluationConfig& s = report.settings;
  Json settings{{"tile", s.tile},
                {"kid_subsets", s.kid_subsets},
                {"kid_subset_size", s.kid_subset_size},
                {"splits", s.splits},
                {"neighbours", s.neighbours},
                {"density_neighbours", s.density_neighbours},
                {"seed", s.seed}};
  // A network that makes its input itself has none of Effuse's conventions.
  if (!report.network.convention.empty()) settings["convention"] = s.convention;
  return settings;
}

Json count_or_null(std::int64_t count) { return count > 0 ? Json(count) : Json(nullptr); }

}  // namespace

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", value);
  return text;
}

std::string report_json(const EvaluationReport& report) {
  Json json = report.scores;
  json["network"] = {{"name", report.network.network},
                     {"sha256", report.network.sha256},
                     {"convention", report.network.convention}};
  json["images"] = {{"paths", report.settings.images}, {"count", count_or_null(report.images)}};
  json["reference"] = {{"paths", report.settings.reference},
                       {"count", count_or_null(report.reference_images)}};
  json["settings"] = settings_of(report);
  if (!report.sampling.is_null()) json["sampling"] = report.sampling;
  json["effuse"] = version();
  return json.dump(2) + "\n";
}

std::string report_table(const EvaluationReport& report) {
  std::string table;
  for (const auto& [name, score] : report.scores.items()) {
    table += cat(padded(name, kNameWidth), padded(number_text(score["value"]), kValueWidth),
                 remarks_of(score));
    table.erase(table.find_last_not_of(' ') + 1);
    table += "\n";
  }
  return table;
}

void tell(const EvaluationReport& report, const std::filesystem::path& file) {
  std::cout << report_table(report) << std::flush;
  if (file.empty()) return;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  write_file_atomically(file, report_json(report));
  log::info("result      ", file.string());
}

void write_picture_of(const Extremes& extremes, const ImageSource& images,
                      const std::filesystem::path& file, Communicator& comm) {
  agree(comm, [&] {
    if (comm.rank() != 0) return;
    write_file_atomically(file, encode_png(picture_of(extremes, images)));
    log::info("picture     ", file.string());
  });
}

}  // namespace effuse
