#pragma once

#include <stdexcept>
#include <string>

namespace effuse {

/// What a program answers to its caller. Launchers blur exit codes, so scripts that must be sure
/// read the run folder's outcome.json instead.
enum class ExitCode : int {
  done = 0,
  failure = 1,
  bad_configuration = 2,
  bad_data = 3,
  stopped = 75,  ///< stopped after a checkpoint; run the same command again (sysexits' EX_TEMPFAIL)
};

/// Base of every error that a person can act on. The message is a sentence for that person:
/// "problem (why it matters) suggestion?". The place in the source is for the log.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, const char* file = __builtin_FILE(),
                 int line = __builtin_LINE())
      : std::runtime_error(message), file_(file), line_(line) {}

  virtual ExitCode exit_code() const { return ExitCode::failure; }
  const char* file() const { return file_; }
  int line() const { return line_; }

 private:
  const char* file_;
  int line_;
};

/// A command line or configuration that cannot be run.
class ConfigError : public Error {
 public:
  using Error::Error;
  ExitCode exit_code() const override { return ExitCode::bad_configuration; }
};

/// A data set, shard or image that is missing, damaged or does not fit the model.
class DataError : public Error {
 public:
  using Error::Error;
  ExitCode exit_code() const override { return ExitCode::bad_data; }
};

/// A collective operation that failed, timed out or was aborted.
class CommError : public Error {
 public:
  using Error::Error;
};

/// A checkpoint that cannot be written, or of which none valid can be read.
class CheckpointError : public Error {
 public:
  using Error::Error;
};

}  // namespace effuse
