#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace effuse {

/// Predicts the noise in a batch whose images are all at one time step.
/// x: [N, C, H, W]; t in 0 … T-1; the result has the shape of x, in any float type.
using Denoiser = std::function<at::Tensor(const at::Tensor& x, std::int64_t t)>;

/// A network as samplers see it. x: [N, C, H, W]; t: [N] int64; labels: [N] int64, or undefined for
/// an unconditional network.
using NoiseModel =
    std::function<at::Tensor(const at::Tensor& x, const at::Tensor& t, const at::Tensor& labels)>;

/// How the two predictions of guidance are computed: in one batch of twice the size, or, as IDDM
/// does, one after the other, which libraries round differently.
enum class GuidanceBatch { doubled, separate };

/// Classifier-free guidance (Ho & Salimans 2022): e_null + scale (e_label - e_null). Scale 1
/// evaluates the labels alone, scale 0 the null class alone. `labels`: [N] int64 on the device of
/// the images, one per image of every batch it will be given; undefined for an unconditional
/// network, for which scale means nothing. Throws ConfigError where guidance is asked for but
/// null_class is -1.
Denoiser guided(NoiseModel model, const at::Tensor& labels, std::int64_t null_class, double scale,
                GuidanceBatch batch = GuidanceBatch::doubled);

}  // namespace effuse
