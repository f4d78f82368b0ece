#pragma once

#include <cstdint>

#include "config/config.hpp"

namespace effuse {

/// Optimiser steps of a run over a data set of `dataset_size` images, from run.steps, run.images or
/// run.epochs (the last batch reaches or passes the wanted number of images). Throws ConfigError
/// where not exactly one of the three is given.
std::int64_t total_steps(const RunConfig& run, std::int64_t dataset_size);

}  // namespace effuse
