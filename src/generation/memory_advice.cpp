#include "generation/memory_advice.hpp"

#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/heap.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

/// libtorch's allocator for CPUs, and some libraries below it, say it in words alone.
bool tells_of_memory(std::string_view message) {
  constexpr std::array<std::string_view, 4> kWords{"can't allocate memory", "not enough memory",
                                                   "out of memory", "bad_alloc"};
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view words) {
    return message.find(words) != std::string_view::npos;
  });
}

/// The first line, without where in libtorch it was said.
std::string first_words(const std::string& reason) {
  const std::size_t allocator = reason.find("DefaultCPUAllocator");
  const std::size_t begin = allocator == std::string::npos ? 0 : allocator;
  return reason.substr(begin, reason.find('\n', begin) - begin);
}

bool fits(const TileGenerator& generator) {
  release_freed_memory();  // smaller blocks than were kept would not fit into their places
  try {
    generator.try_step();
    return true;
  } catch (const std::exception&) {  // short of memory libraries fail in their own ways
    return false;
  }
}

[[noreturn]] void throw_advice(const TileGenerator& generator, const std::string& reason) {
  const GenerationSettings& settings = generator.settings();
  const std::string message =
      cat("out of memory: a tile of ", settings.tile_size, " images of ", settings.width, "x",
          settings.height, " pixels does not fit (", first_words(reason), "). ");
  // From small to large: libraries that ran short of memory once may fail ever after.
  std::int64_t fitting = 0;
  for (std::int64_t size = 1; size < settings.tile_size; size *= 2) {
    if (!fits(generator.with_tile(size))) break;
    fitting = size;
  }
  if (fitting == 0) {
    throw Error(message +
                "Nor does a tile of one image: fewer ranks on this node, or more memory?");
  }
  throw Error(cat(message, "One of ", fitting, " fits: sampling.tile=", fitting,
                  " (whose images differ in the last bits: files of them need another --output)."));
}

}  // namespace

at::Tensor with_memory_advice(const TileGenerator& generator,
                              const std::function<at::Tensor()>& compute) {
  std::string reason;
  try {
    return compute();
  } catch (const c10::OutOfMemoryError& error) {
    reason = error.what_without_backtrace();
  } catch (const std::bad_alloc& error) {
    reason = error.what();
  } catch (const c10::Error& error) {
    if (!tells_of_memory(error.what_without_backtrace())) throw;
    reason = error.what_without_backtrace();
  } catch (const std::runtime_error& error) {
    if (dynamic_cast<const Error*>(&error) != nullptr || !tells_of_memory(error.what())) throw;
    reason = error.what();
  }
  throw_advice(generator, reason);  // outside the handler: what the error holds is let go of
}

}  // namespace effuse
