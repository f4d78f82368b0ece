#pragma once

#include "evaluation/moments.hpp"

namespace effuse {

/// Parts of a Fréchet distance.
struct FrechetDistance {
  double value = 0.0;   ///< mean + spread
  double mean = 0.0;    ///< ‖μ₁ - μ₂‖²
  double spread = 0.0;  ///< tr(Σ₁ + Σ₂ - 2 (Σ₁ Σ₂)^½)
};

/// The squared Fréchet (2-Wasserstein) distance between two Gaussians (Dowson and Landau 1982; FID
/// is that of Inception's features, Heusel et al. 2017).
///
/// tr (Σ₁ Σ₂)^½ is computed as the sum of the singular values of Σ₁^½ Σ₂^½, in float64: symmetric
/// eigenvalues alone, no square root of a product that need not be symmetric. Eigenvalues of a Σ
/// that are rounding errors, below D ε times the largest, count as 0, so that covariances of fewer
/// images than features, which are singular, give the same number to some 1e-12 however their sums
/// were rounded. Throws DataError where the dimensions differ.
FrechetDistance frechet_distance(const Gaussian& a, const Gaussian& b);

}  // namespace effuse
