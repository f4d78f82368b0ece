#pragma once

#include <string>
#include <string_view>

#include "exchange/pickle_value.hpp"

namespace effuse {

/// Reads the pickle of a file of weights (protocols 2 to 5, as torch.save writes them) as data.
/// Nothing in it is ever called: of all callables only OrderedDict, the two functions that make a
/// tensor or a parameter, and torch's storage classes are known, each with its one meaning; a
/// pickle that names another is refused, as is every instruction that weights do not need.
///
/// Bytes behind the end of the pickle are left alone. Bounded: 16 MiB, a million values, no
/// recursion. Throws CheckpointError beginning with `where`, naming the byte and what is wrong.
PickleDocument read_pickle(std::string_view bytes, const std::string& where);

}  // namespace effuse
