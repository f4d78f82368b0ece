#include "core/log.hpp"

#include <boost/log/attributes/clock.hpp>
#include <boost/log/core.hpp>
#include <boost/log/expressions.hpp>
#include <boost/log/keywords/auto_flush.hpp>
#include <boost/log/keywords/file_name.hpp>
#include <boost/log/keywords/open_mode.hpp>
#include <boost/log/sinks/sync_frontend.hpp>
#include <boost/log/sinks/text_file_backend.hpp>
#include <boost/log/sinks/text_ostream_backend.hpp>
#include <boost/log/sources/logger.hpp>
#include <boost/log/sources/record_ostream.hpp>
#include <boost/log/support/date_time.hpp>
#include <boost/log/utility/manipulators/add_value.hpp>
#include <boost/log/utility/setup/common_attributes.hpp>
#include <boost/make_shared.hpp>
#include <boost/shared_ptr.hpp>
#include <cerrno>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <mutex>
#include <string>
#include <system_error>

#include "core/utf8.hpp"

namespace effuse::log {
namespace {

namespace blog = boost::log;
namespace expr = boost::log::expressions;

using ConsoleSink = blog::sinks::synchronous_sink<blog::sinks::text_ostream_backend>;
using FileSink = blog::sinks::synchronous_sink<blog::sinks::text_file_backend>;

struct State {
  std::mutex mutex;
  Options options;
  boost::shared_ptr<ConsoleSink> console;
  boost::shared_ptr<FileSink> file;
  blog::sources::logger logger;
  bool current_reaches_console = false;  // the record being written; under `mutex`
};

State& state() {
  static State instance;
  return instance;
}

const char* name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "";
}

bool reaches_console(const Options& options, Level level, Voice voice) {
  if (level < options.console_level) return false;
  if (voice == Voice::file_first) return options.file.empty();
  return options.rank == 0 || voice == Voice::any_rank;
}

auto time_stamp() {
  return expr::format_date_time<boost::posix_time::ptime>("TimeStamp", "%Y-%m-%d %H:%M:%S.%f");
}

/// Information speaks plainly; what went wrong says so, and from where when there are several
/// ranks.
void format_console(const blog::record_view& record, blog::formatting_ostream& out) {
  const auto level = static_cast<Level>(record["Level"].extract<int>().get());
  const Options& options = state().options;
  if (level != Level::info) out << name_of(level) << ": ";
  const bool any_rank = record["AnyRank"].extract<bool>().get();
  if (any_rank && options.world_size > 1) out << "[rank " << options.rank << "] ";
  out << record[expr::smessage];
}

boost::shared_ptr<ConsoleSink> make_console() {
  auto backend = boost::make_shared<blog::sinks::text_ostream_backend>();
  backend->add_stream(boost::shared_ptr<std::ostream>(&std::cerr, [](std::ostream*) {}));
  backend->auto_flush(true);
  auto sink = boost::make_shared<ConsoleSink>(backend);
  // Filters run before the values that add_value() gives a record are there to be seen.
  sink->set_filter(
      [](const blog::attribute_value_set&) { return state().current_reaches_console; });
  sink->set_formatter(&format_console);
  return sink;
}

boost::shared_ptr<FileSink> make_file(const std::filesystem::path& path) {
  std::filesystem::create_directories(path.parent_path());
  // What cannot be opened, the backend tells of by ending the process.
  if (!std::ofstream(path, std::ios::app)) {
    throw std::system_error(errno, std::generic_category(), "cannot open the log " + path.string());
  }
  auto backend = boost::make_shared<blog::sinks::text_file_backend>(
      blog::keywords::file_name = path.string(), blog::keywords::open_mode = std::ios::app,
      blog::keywords::auto_flush = true);
  auto sink = boost::make_shared<FileSink>(backend);
  sink->set_formatter(expr::stream << time_stamp() << " " << std::left << std::setw(7)
                                   << expr::attr<std::string>("LevelName") << " "
                                   << expr::smessage);
  return sink;
}

}  // namespace

void configure(const Options& options) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (!s.console) {
    blog::add_common_attributes();
    s.console = make_console();
    blog::core::get()->add_sink(s.console);
  }
  if (s.file) blog::core::get()->remove_sink(s.file);
  s.options = options;
  s.file = options.file.empty() ? nullptr : make_file(options.file);
  if (s.file) blog::core::get()->add_sink(s.file);
}

void write(Level level, Voice voice, std::string_view message) {
  State& s = state();
  if (!s.console) configure(s.options);
  const std::lock_guard lock(s.mutex);
  s.current_reaches_console = reaches_console(s.options, level, voice);
  BOOST_LOG(s.logger) << blog::add_value("Level", static_cast<int>(level))
                      << blog::add_value("LevelName", std::string(name_of(level)))
                      << blog::add_value("AnyRank", voice != Voice::rank_0)
                      << printable(std::string(message));
}

}  // namespace effuse::log
