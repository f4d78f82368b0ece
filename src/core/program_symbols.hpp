#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace effuse {

/// The functions of this program by address, from the symbol table of its own file: those without
/// external linkage too, which dladdr() does not know. Empty where the file has been stripped.
class ProgramSymbols {
 public:
  ProgramSymbols();

  /// The mangled name of the function that `address`, counted from where the program was loaded,
  /// lies in; empty where there is none.
  std::string name_at(std::uint64_t address) const;

 private:
  struct Function {
    std::uint64_t begin;
    std::uint64_t size_bytes;
    std::size_t name;  ///< offset into names_
  };

  std::vector<Function> functions_;  ///< by begin
  std::string names_;
};

}  // namespace effuse
