#include "core/program_symbols.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "core/files.hpp"

namespace effuse {
namespace {

/// The record at `offset` of `file`; false where the file ends before it does.
template <class Record>
bool read_at(std::string_view file, std::uint64_t offset, Record& record) {
  if (offset > file.size() || file.size() - offset < sizeof(Record)) return false;
  std::memcpy(&record, file.data() + offset, sizeof(Record));
  return true;
}

/// Empty for what is no 64-bit ELF file.
std::vector<Elf64_Shdr> sections_of(std::string_view file) {
  Elf64_Ehdr header{};
  if (!read_at(file, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64) {
    return {};
  }
  std::vector<Elf64_Shdr> sections(header.e_shnum);
  for (std::size_t i = 0; i < sections.size(); ++i) {
    if (!read_at(file, header.e_shoff + i * sizeof(Elf64_Shdr), sections[i])) return {};
  }
  return sections;
}

}  // namespace

ProgramSymbols::ProgramSymbols() {
  std::string file;
  try {
    file = read_file("/proc/self/exe");
  } catch (const std::exception&) {
    return;  // without names there are still addresses
  }
  const std::vector<Elf64_Shdr> sections = sections_of(file);
  const auto table = std::ranges::find(sections, Elf64_Word{SHT_SYMTAB}, &Elf64_Shdr::sh_type);
  if (table == sections.end() || table->sh_link >= sections.size()) return;
  const Elf64_Shdr& names = sections[table->sh_link];
  if (names.sh_offset > file.size()) return;
  names_ = file.substr(names.sh_offset, names.sh_size);
  Elf64_Sym symbol{};
  for (std::uint64_t at = 0; at < table->sh_size; at += sizeof symbol) {
    if (!read_at(file, table->sh_offset + at, symbol)) break;
    const bool function = ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_size > 0;
    if (function && symbol.st_name < names_.size()) {
      functions_.push_back({symbol.st_value, symbol.st_size, symbol.st_name});
    }
  }
  std::ranges::sort(functions_, {}, &Function::begin);
}

std::string ProgramSymbols::name_at(std::uint64_t address) const {
  const auto after = std::ranges::upper_bound(functions_, address, {}, &Function::begin);
  if (after == functions_.begin()) return {};
  const Function& function = *(after - 1);
  if (address - function.begin >= function.size_bytes) return {};
  return names_.c_str() + function.name;
}

}  // namespace effuse
