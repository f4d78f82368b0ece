#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace effuse {

/// The message of the Exception that `action` throws. Where it throws none, or another, the test
/// fails and the message is empty.
template <class Exception, class Action>
std::string message_of(Action&& action) {
  try {
    std::forward<Action>(action)();
  } catch (const Exception& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "threw another exception: " << error.what();
    return {};
  }
  ADD_FAILURE() << "threw nothing";
  return {};
}

}  // namespace effuse
