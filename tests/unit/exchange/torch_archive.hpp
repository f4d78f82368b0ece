#pragma once

#include <caffe2/serialize/inline_container.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "pickle_text.hpp"

namespace effuse {

/// Writes a file as torch.save does, by libtorch's own writer: data.pkl and `records` ("data/0").
inline void write_torch_archive(const std::filesystem::path& path, const std::string& value,
                                const std::map<std::string, std::string>& records) {
  caffe2::serialize::PyTorchStreamWriter writer(path.string());
  const std::string pickled = pickle::whole(value);
  writer.writeRecord("data.pkl", pickled.data(), pickled.size());
  for (const auto& [name, bytes] : records) writer.writeRecord(name, bytes.data(), bytes.size());
  writer.writeEndOfFile();
}

inline std::string bytes_of(const std::vector<float>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float)};
}

}  // namespace effuse
