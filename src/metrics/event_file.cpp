#include "metrics/event_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <protozero/pbf_builder.hpp>
#include <span>
#include <system_error>
#include <utility>

#include "core/checksum.hpp"
#include "core/host_name.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/unix_time.hpp"

namespace effuse::metrics {
namespace {

// Fields of the messages in tensorflow/core/util/event.proto and framework/summary.proto.
enum class Event : protozero::pbf_tag_type {
  wall_time = 1,
  step = 2,
  file_version = 3,
  summary = 5,
  session_log = 7
};
enum class Session : protozero::pbf_tag_type { status = 1 };
enum class Summary : protozero::pbf_tag_type { value = 1 };
enum class Value : protozero::pbf_tag_type { tag = 1, simple_value = 2, image = 4, histogram = 5 };
enum class Image : protozero::pbf_tag_type { height = 1, width = 2, colorspace = 3, encoded = 4 };
enum class Histogram : protozero::pbf_tag_type {
  min = 1,
  max = 2,
  num = 3,
  sum = 4,
  sum_squares = 5,
  bucket_limit = 6,
  bucket = 7
};
constexpr int kSessionStart = 1;
constexpr int kRgb = 3;
constexpr std::size_t kBuckets = 30;

template <class Fields>
using Builder = protozero::pbf_builder<Fields>;

std::string event_at(std::int64_t step, Event field, const std::string& content) {
  std::string event;
  Builder<Event> builder(event);
  builder.add_double(Event::wall_time, unix_time_s());
  builder.add_int64(Event::step, step);
  if (field == Event::file_version) {
    builder.add_string(field, content);
  } else {
    builder.add_message(field, content);
  }
  return event;
}

/// CRC-32C, rotated and moved, so that a checksum of bytes that hold one is a good one.
std::uint32_t masked_crc(std::span<const std::byte> bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8U;
}

template <class Number>
std::string little_endian(Number number) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof number; ++i) {
    bytes += static_cast<char>((number >> (8 * i)) & 0xFFU);
  }
  return bytes;
}

std::string record_of(const std::string& data) {
  const auto crc = [](const std::string& text) {
    return little_endian(masked_crc(std::as_bytes(std::span(text))));
  };
  const std::string length = little_endian(static_cast<std::uint64_t>(data.size()));
  return length + crc(length) + data + crc(data);
}

/// Equal buckets from the smallest value to the largest; of finite values, not empty.
std::string histogram_of(const std::vector<double>& values) {
  const auto [min, max] = std::ranges::minmax(values);
  const double width = max > min ? (max - min) / kBuckets : 1.0;
  std::array<double, kBuckets> limits{}, counts{};
  double sum = 0.0, squares = 0.0;
  for (const double value : values) {
    const auto bucket = static_cast<std::size_t>((value - min) / width);
    counts[std::min(bucket, kBuckets - 1)] += 1.0;
    sum += value;
    squares += value * value;
  }
  for (std::size_t i = 0; i < kBuckets; ++i) limits[i] = min + static_cast<double>(i + 1) * width;
  std::string text;
  Builder<Histogram> builder(text);
  builder.add_double(Histogram::min, min);
  builder.add_double(Histogram::max, max);
  builder.add_double(Histogram::num, static_cast<double>(values.size()));
  builder.add_double(Histogram::sum, sum);
  builder.add_double(Histogram::sum_squares, squares);
  builder.add_packed_double(Histogram::bucket_limit, limits.begin(), limits.end());
  builder.add_packed_double(Histogram::bucket, counts.begin(), counts.end());
  return text;
}

}  // namespace

EventFile::EventFile(const std::filesystem::path& folder, std::int64_t step)
    : path_(folder / cat("events.out.tfevents.", static_cast<std::int64_t>(unix_time_s()), ".",
                         host_name(), ".", ::getpid())) {
  std::filesystem::create_directories(folder);
  out_.open(path_, std::ios::binary | std::ios::app);
  if (!out_) {
    throw std::system_error(errno, std::generic_category(), cat("cannot open ", path_.string()));
  }
  write_event(event_at(0, Event::file_version, "brain.Event:2"));
  std::string start;
  Builder<Session>(start).add_enum(Session::status, kSessionStart);
  write_event(event_at(step + 1, Event::session_log, start));
  flush();
}

void EventFile::scalar(std::string_view tag, std::int64_t step, double value) {
  std::string text;
  Builder<Value> builder(text);
  builder.add_string(Value::tag, tag.data(), tag.size());
  builder.add_float(Value::simple_value, static_cast<float>(value));
  write_value(step, text);
}

void EventFile::picture(std::string_view tag, std::int64_t step, const Picture& picture) {
  std::string text;
  Builder<Value> builder(text);
  builder.add_string(Value::tag, tag.data(), tag.size());
  {
    Builder<Image> image(builder, Value::image);
    image.add_int32(Image::height, picture.height);
    image.add_int32(Image::width, picture.width);
    image.add_int32(Image::colorspace, kRgb);
    image.add_bytes(Image::encoded, picture.png);
  }
  write_value(step, text);
}

void EventFile::histogram(std::string_view tag, std::int64_t step,
                          const std::vector<double>& values) {
  std::vector<double> finite;
  std::ranges::copy_if(values, std::back_inserter(finite),
                       [](double v) { return std::isfinite(v); });
  if (finite.empty()) return;
  std::string text;
  Builder<Value> builder(text);
  builder.add_string(Value::tag, tag.data(), tag.size());
  builder.add_message(Value::histogram, histogram_of(finite));
  write_value(step, text);
}

void EventFile::write_value(std::int64_t step, const std::string& value) {
  std::string summary;
  Builder<Summary>(summary).add_message(Summary::value, value);
  write_event(event_at(step, Event::summary, summary));
}

void EventFile::write_event(const std::string& event) {
  const std::string record = record_of(event);
  out_.write(record.data(), static_cast<std::streamsize>(record.size()));
}

void EventFile::flush() {
  out_.flush();
  if (out_ || std::exchange(failed_, true)) return;
  log::local_warning("cannot write ", path_.string(),
                     " (TensorBoard will miss what follows). The work goes on.");
}

}  // namespace effuse::metrics
