#pragma once

namespace effuse {

/// Bytes of the host's memory that this process has in use (its resident set); 0 where the system
/// does not say.
double resident_bytes();

}  // namespace effuse
