#include "hdf5/handle.hpp"

#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

namespace effuse::hdf5 {
namespace {

static_assert(std::is_same_v<Handle::Id, hid_t>, "Handle::Id has to be hid_t");

struct Stack {
  std::string text;
  int system_error = 0;
};

bool is_lack_of_room(int error) {
  constexpr std::array kErrors{ENOSPC, EDQUOT, EFBIG, EMFILE, ENFILE};
  return std::find(kErrors.begin(), kErrors.end(), error) != kErrors.end();
}

/// The file drivers write "…, errno = 28, error message = 'No space left on device', …".
int errno_in(std::string_view description) {
  constexpr std::string_view kMark = "errno = ";
  const std::size_t place = description.find(kMark);
  if (place == std::string_view::npos) return 0;
  return std::atoi(std::string(description.substr(place + kMark.size())).c_str());
}

herr_t collect(unsigned, const H5E_error2_t* entry, void* data) {
  auto& stack = *static_cast<Stack*>(data);
  const std::string_view description = entry->desc == nullptr ? "" : entry->desc;
  if (!stack.text.empty()) stack.text += "; ";
  stack.text += cat(entry->func_name, ": ", description);
  if (stack.system_error == 0) stack.system_error = errno_in(description);
  return 0;
}

Stack take_stack() {
  Stack stack;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, &collect, &stack);
  H5Eclear2(H5E_DEFAULT);
  return stack;
}

}  // namespace

Handle::Handle(Id id, Close closer, std::string_view what) : id_(id), close_(closer) {
  if (id_ < 0) throw_error(what);
}

Handle::~Handle() {
  if (id_ >= 0 && close_(id_) < 0) {
    log::warning("HDF5 could not close an object: ", take_stack().text);
  }
}

Handle::Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}

Handle& Handle::operator=(Handle&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(close_, other.close_);
  return *this;
}

void Handle::close(std::string_view what) {
  const Id id = std::exchange(id_, -1);
  if (id >= 0) check(close_(id), what);
}

void silence() {
  static const bool once = [] { return H5dont_atexit() >= 0; }();
  thread_local const bool silent = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  static_cast<void>(once);
  static_cast<void>(silent);
}

void throw_error(std::string_view what) {
  const Stack stack = take_stack();
  if (is_lack_of_room(stack.system_error)) {
    throw std::system_error(stack.system_error, std::generic_category(), std::string(what));
  }
  throw DataError(cat(what, ": ", stack.text.empty() ? "HDF5 gives no reason" : stack.text));
}

void check(std::int64_t result, std::string_view what) {
  if (result < 0) throw_error(what);
}

}  // namespace effuse::hdf5
