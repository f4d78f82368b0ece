#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>

#include "evaluation/moments.hpp"

/// What the numbers of a statistics file have to be, whoever wrote them: a distance to others would
/// come out all the same. Each function throws DataError naming the file, what is wrong and what to
/// do.
namespace effuse {

inline constexpr const char* kRemake =
    "Make the file again with effuse-evaluate --save-statistics, or with the program that wrote it";

void require_finite(const at::Tensor& values, const std::filesystem::path& file,
                    const std::string& name);

/// sigma, but for rounding.
void require_symmetric(const at::Tensor& covariance, const std::filesystem::path& file);

/// mu and sigma are those of count, sum and outer_sum, of which parts are put together.
void require_agreement(const Gaussian& gaussian, const Moments& moments,
                       const std::filesystem::path& file);

}  // namespace effuse
