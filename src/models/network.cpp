#include "models/network.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {

void Network::check_inputs(const at::Tensor& x, const at::Tensor& t,
                           const at::Tensor& labels) const {
  if (x.dim() != 4 || x.size(1) != traits_.channels) {
    throw ConfigError(cat("the network got images of shape ", x.sizes(),
                          " but model.in_channels is ", traits_.channels, "; images must be [N, ",
                          traits_.channels, ", H, W]"));
  }
  if (t.dim() != 1 || t.size(0) != x.size(0)) {
    throw ConfigError(cat("the network got time steps of shape ", t.sizes(), " for ", x.size(0),
                          " images; there must be one for each"));
  }
  if (labels.defined() != is_conditional()) {
    throw ConfigError(is_conditional()
                          ? cat("the network has ", traits_.class_count,
                                " classes (model.num_class_embeds) but got no labels; give ",
                                null_class() < 0 ? std::string("each image one")
                                                 : cat("the null class ", null_class(),
                                                       " for images without one"))
                          : std::string("the network got labels but has no classes "
                                        "(model.num_class_embeds is 0); leave the labels out"));
  }
  if (labels.defined() && (labels.dim() != 1 || labels.size(0) != x.size(0))) {
    throw ConfigError(cat("the network got labels of shape ", labels.sizes(), " for ", x.size(0),
                          " images; there must be one for each"));
  }
}

void Network::check_image_size(const at::Tensor& x, std::int64_t factor,
                               std::string_view levels) const {
  if (x.size(2) % factor == 0 && x.size(3) % factor == 0) return;
  throw ConfigError(cat("the network got images of ", x.size(2), "x", x.size(3), " but ", levels,
                        " need multiples of ", factor, "; choose another model.sample_size"));
}

}  // namespace effuse
