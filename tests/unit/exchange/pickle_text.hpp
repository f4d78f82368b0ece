#pragma once

#include <cstdint>
#include <string>

/// Pickles written by hand, instruction by instruction, as torch.save writes them.
namespace effuse::pickle {

inline std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xFF);
  return text;
}

inline std::string text(const std::string& value) { return "X" + number(value.size(), 4) + value; }

inline std::string integer(std::uint64_t value) { return "\x8a\x08" + number(value, 8); }

inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}

/// Items in a tuple, list or dictionary.
inline std::string tuple(const std::string& items) { return "(" + items + "t"; }
inline std::string list(const std::string& items) { return "](" + items + "e"; }
inline std::string dict(const std::string& items) { return "}(" + items + "u"; }

inline std::string whole(const std::string& value) { return "\x80\x02" + value + "."; }

inline std::string storage(const std::string& type, const std::string& key, std::uint64_t count) {
  return tuple(text("storage") + global("torch", type) + text(key) + text("cpu") + integer(count)) +
         "Q";
}

inline std::string numbers(std::initializer_list<std::uint64_t> values) {
  std::string items;
  for (const std::uint64_t value : values) items += integer(value);
  return tuple(items);
}

inline std::string tensor(const std::string& storage_id, std::uint64_t offset,
                          std::initializer_list<std::uint64_t> sizes,
                          std::initializer_list<std::uint64_t> strides) {
  const std::string no_hooks = global("collections", "OrderedDict") + ")R";
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple(storage_id + integer(offset) + numbers(sizes) + numbers(strides) + "\x89" +
               no_hooks) +
         "R";
}

}  // namespace effuse::pickle
