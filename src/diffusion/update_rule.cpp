#include "diffusion/update_rule.hpp"

#include "core/error.hpp"
#include "diffusion/ddim.hpp"
#include "diffusion/ddpm.hpp"
#include "diffusion/diffusers_arithmetic.hpp"
#include "diffusion/dpmpp_2m.hpp"
#include "diffusion/iddm_arithmetic.hpp"
#include "diffusion/plms.hpp"

namespace effuse {
namespace {

std::unique_ptr<UpdateRule> make_iddm_rule(const SamplerSettings& settings) {
  switch (settings.kind) {
    case SamplerKind::ddpm:
      return std::make_unique<IddmDdpmRule>(settings.prediction);
    case SamplerKind::ddim:
      return std::make_unique<IddmDdimRule>(settings.prediction, settings.eta);
    case SamplerKind::plms:
      return std::make_unique<PlmsRule>(settings.prediction, Clip::yes, Convention::iddm);
    case SamplerKind::dpmpp_2m:
      break;  // refused by check_sampler()
  }
  throw Error("IDDM has no such sampler");
}

}  // namespace

std::unique_ptr<UpdateRule> make_update_rule(const SamplerSettings& settings) {
  if (settings.convention == Convention::iddm) return make_iddm_rule(settings);
  switch (settings.kind) {
    case SamplerKind::ddpm:
      return std::make_unique<DdpmRule>(settings.prediction, settings.clip, settings.variance);
    case SamplerKind::ddim:
      return std::make_unique<DdimRule>(settings.prediction, settings.clip, settings.eta);
    case SamplerKind::plms:
      return std::make_unique<PlmsRule>(settings.prediction, settings.clip, settings.convention);
    case SamplerKind::dpmpp_2m:
      if (settings.convention == Convention::diffusers) {
        return std::make_unique<DiffusersDpmpp2mRule>(settings.prediction);
      }
      return std::make_unique<Dpmpp2mRule>(settings.prediction, settings.clip);
  }
  throw Error("unknown kind of sampler");
}

}  // namespace effuse
