#pragma once

#include <exception>

#include "core/error.hpp"
#include "core/log.hpp"

namespace effuse {

/// Runs `tool`, which returns an ExitCode, and turns whatever it throws into a message and a code:
/// the one place where a data tool's failure ends.
template <class Tool>
int run_tool(Tool tool) {
  try {
    return static_cast<int>(tool());
  } catch (const Error& error) {
    log::error(error.what());
    return static_cast<int>(error.exit_code());
  } catch (const std::exception& error) {
    log::error(error.what());
    return static_cast<int>(ExitCode::failure);
  }
}

}  // namespace effuse
