#pragma once

namespace effuse {

/// Seconds since this process began, dynamic linking included; 0 where the system does not say.
double process_age_s();

}  // namespace effuse
