#include "report/log_line.hpp"

#include <nlohmann/json.hpp>
#include <string>

namespace effuse {
namespace {

using Json = nlohmann::json;

/// Takes what belongs to a line from the events of the parser, without building a document: a log
/// has up to millions of lines.
class LineReader : public nlohmann::json_sax<Json> {
 public:
  explicit LineReader(LogLine& line) : line_(line) {}

  bool has_step() const { return has_step_; }

  bool null() override { return next(LogLine::kAbsent); }
  bool boolean(bool value) override {
    if (depth_ == 1 && key_ == "good") line_.good = value;
    return next(LogLine::kAbsent);
  }
  bool number_integer(number_integer_t value) override { return integer(value); }
  bool number_unsigned(number_unsigned_t value) override {
    return integer(static_cast<std::int64_t>(value));
  }
  bool number_float(number_float_t value, const string_t&) override { return next(value); }
  bool string(string_t&) override { return next(LogLine::kAbsent); }
  bool binary(binary_t&) override { return next(LogLine::kAbsent); }
  bool start_object(std::size_t) override {
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override {
    if (++depth_ == 1) return false;
    in_tenths_ = depth_ == 2 && key_ == "timestep_loss";
    element_ = 0;
    return true;
  }
  bool end_array() override {
    --depth_;
    in_tenths_ = false;
    return true;
  }
  bool key(string_t& name) override {
    if (depth_ == 1) key_ = name;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    return false;
  }

 private:
  bool integer(std::int64_t value) {
    if (depth_ == 1 && key_ == "step") {
      line_.step = value;
      has_step_ = true;
    }
    if (depth_ == 1 && key_ == "images") line_.images = value;
    return next(static_cast<double>(value));
  }

  /// A value came, a number or none.
  bool next(double value) {
    if (in_tenths_) {
      if (element_ < kTenths) line_.values[kLogSeries.size() + element_++] = value;
    } else if (depth_ == 1) {
      if (key_ == "time_s") line_.time_s = value;
      for (std::size_t i = 0; i < kLogSeries.size(); ++i) {
        if (key_ == kLogSeries[i]) line_.values[i] = value;
      }
    }
    return depth_ > 0;  // a bare number is no line
  }

  LogLine& line_;
  std::string key_;
  int depth_ = 0;
  bool in_tenths_ = false;
  std::size_t element_ = 0;
  bool has_step_ = false;
};

}  // namespace

bool parse_log_line(std::string_view text, LogLine& line) {
  line = LogLine();
  LineReader reader(line);
  return Json::sax_parse(text, &reader) && reader.has_step();
}

}  // namespace effuse
