#include <iostream>

#include "checkpoint/safetensors.hpp"
#include "core/error.hpp"

/// safetensors_copy FROM TO: reads one file and writes what was read.
int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    const effuse::SafetensorsFile file = effuse::read_safetensors(argv[1]);
    const effuse::FileRecord record =
        effuse::write_safetensors(argv[2], file.tensors, file.metadata);
    std::cout << record.size_bytes << " " << record.sha256 << "\n";
  } catch (const effuse::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  return 0;
}
