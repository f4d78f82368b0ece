#pragma once

#include <cstdint>
#include <string_view>

namespace effuse::hdf5 {

/// One HDF5 identifier (hid_t), closed by its one owner.
class Handle {
 public:
  using Id = std::int64_t;
  using Close = int (*)(Id);

  Handle() = default;

  /// Takes over `id` as an HDF5 call returned it. Throws as throw_error() where it is negative.
  Handle(Id id, Close closer, std::string_view what);
  ~Handle();
  Handle(Handle&& other) noexcept;
  Handle& operator=(Handle&& other) noexcept;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  Id get() const { return id_; }

  /// Closes now, so that a failure is seen: a destructor only logs it.
  void close(std::string_view what);

 private:
  Id id_ = -1;
  Close close_ = nullptr;
};

/// Keeps HDF5 from printing to stderr in this thread, and from cleaning up at exit, where it would
/// try again to flush files that could not be closed. Called before any other HDF5 call.
void silence();

/// Throws what HDF5's error stack tells, as "what: reason; reason": std::system_error where the
/// operating system had no room (ENOSPC, EDQUOT, EFBIG, EMFILE, ENFILE), DataError otherwise.
[[noreturn]] void throw_error(std::string_view what);

/// throw_error() where `result` is negative.
void check(std::int64_t result, std::string_view what);

}  // namespace effuse::hdf5
