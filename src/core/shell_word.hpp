#pragma once

#include <string>
#include <string_view>

namespace effuse {

/// `text` as one word of a shell's command: as it is where a shell would leave it so, otherwise in
/// single quotes.
std::string shell_word(std::string_view text);

}  // namespace effuse
