#include "report/log_line.hpp"

#include <simdjson.h>

#include <string_view>

namespace effuse {
namespace {

using simdjson::dom::element;

double number_of(element value) {
  double number = LogLine::kAbsent;
  return value.get_double().get(number) == simdjson::SUCCESS ? number : LogLine::kAbsent;
}

void take_tenths(element value, LogLine& line) {
  simdjson::dom::array tenths;
  if (value.get_array().get(tenths) != simdjson::SUCCESS) return;
  std::size_t i = kLogSeries.size();
  for (const element tenth : tenths) {
    if (i < kSeries) line.values[i++] = number_of(tenth);
  }
}

/// True where it was the step.
bool take(std::string_view key, element value, LogLine& line) {
  for (std::size_t i = 0; i < kLogSeries.size(); ++i) {
    if (key == kLogSeries[i]) {
      line.values[i] = number_of(value);
      return false;
    }
  }
  if (key == "step") return value.get_int64().get(line.step) == simdjson::SUCCESS;
  if (key == "images" && value.get_int64().get(line.images) != simdjson::SUCCESS) line.images = 0;
  if (key == "good" && value.get_bool().get(line.good) != simdjson::SUCCESS) line.good = true;
  if (key == "time_s") line.time_s = number_of(value);
  if (key == "timestep_loss") take_tenths(value, line);
  return false;
}

}  // namespace

struct LogLineParser::Json {
  simdjson::dom::parser parser;
};

LogLineParser::LogLineParser() : json_(std::make_unique<Json>()) {}
LogLineParser::~LogLineParser() = default;

bool LogLineParser::parse(const std::string& text, LogLine& line) {
  line = LogLine();
  simdjson::dom::object object;
  if (json_->parser.parse(text).get_object().get(object) != simdjson::SUCCESS) return false;
  bool has_step = false;
  for (const auto& [key, value] : object) has_step = take(key, value, line) || has_step;
  return has_step;
}

}  // namespace effuse
