#pragma once

#include "app/run_job.hpp"

namespace effuse {

/// effuse-convert: reads weights of one format and writes another, in one process.
Job convert_job();

}  // namespace effuse
