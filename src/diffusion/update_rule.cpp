#include "diffusion/update_rule.hpp"

#include "core/error.hpp"
#include "diffusion/ddim.hpp"
#include "diffusion/ddpm.hpp"
#include "diffusion/diffusers_arithmetic.hpp"
#include "diffusion/dpmpp_2m.hpp"
#include "diffusion/plms.hpp"

namespace effuse {
namespace {

/// IDDM's ddpm never clamps the predicted image. (Nor do diffusers' plms and dpmpp_2m, whose
/// arithmetic has none.)
Clip clip_of(const SamplerSettings& settings) {
  if (settings.convention == Convention::iddm && settings.kind == SamplerKind::ddpm) {
    return Clip::no;
  }
  return settings.clip;
}

/// IDDM's ddpm knows beta alone.
Variance variance_of(const SamplerSettings& settings) {
  return settings.convention == Convention::iddm ? Variance::fixed_large : settings.variance;
}

}  // namespace

std::unique_ptr<UpdateRule> make_update_rule(const SamplerSettings& settings) {
  const Clip clip = clip_of(settings);
  switch (settings.kind) {
    case SamplerKind::ddpm:
      return std::make_unique<DdpmRule>(settings.prediction, clip, variance_of(settings));
    case SamplerKind::ddim:
      return std::make_unique<DdimRule>(settings.prediction, clip, settings.eta);
    case SamplerKind::plms:
      return std::make_unique<PlmsRule>(settings.prediction, clip, settings.convention);
    case SamplerKind::dpmpp_2m:
      if (settings.convention == Convention::diffusers) {
        return std::make_unique<DiffusersDpmpp2mRule>(settings.prediction);
      }
      return std::make_unique<Dpmpp2mRule>(settings.prediction, clip);
  }
  throw Error("unknown kind of sampler");
}

}  // namespace effuse
