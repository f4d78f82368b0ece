#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "exchange/formats.hpp"
#include "exchange/iddm_state.hpp"

// What IDDM's files hold: iddm/utils/checkpoint.py, save_ckpt(). They store no noise schedule.
namespace effuse {
namespace {

constexpr const char* kClassEmbedding = "condition_adapter.label_emb.weight";

/// A network of IDDM that Effuse has: the tensors whose first size is a level's width, and the
/// widths that IDDM itself uses.
struct IddmNetwork {
  std::string name;
  std::vector<std::string> width_tensors;
  std::vector<std::int64_t> own_widths;
};

const std::array<IddmNetwork, 2>& networks() {
  static const std::array<IddmNetwork, 2> known{{
      {"unet",
       {"inc.double_conv.0.weight", "down1.maxpool_conv.2.double_conv.0.weight",
        "down2.maxpool_conv.2.double_conv.0.weight", "bot1.double_conv.0.weight"},
       {64, 128, 256, 512}},
      {"cspdarkunet",
       {"inc.conv.weight", "down1.conv_csp.0.conv.weight", "down2.conv_csp.0.conv.weight",
        "down3.conv_csp.0.conv.weight", "down4.conv_csp.0.conv.weight"},
       {32, 64, 128, 256, 512}},
  }};
  return known;
}

/// The reader of one file: dictionary entries, tensors, and what they say together.
class IddmReader {
 public:
  IddmReader(const std::filesystem::path& path, const ReadOptions& options)
      : path_(path), options_(options), torch_(path), dictionary_(iddm_dictionary(torch_)) {}

  ModelFile read();

 private:
  [[noreturn]] void refuse(const std::string& problem) const {
    throw ConfigError(cat(path_.string(), " ", problem));
  }
  [[noreturn]] void reject(const std::string& problem) const {
    throw CheckpointError(cat(path_.string(), " ", problem));
  }

  const PickleNode* entry(const char* key) const {
    return dictionary_ == nullptr ? nullptr : find(*dictionary_, key);
  }
  std::string text(const char* key) const;
  const at::Tensor& tensor(const std::string& name) const;
  const IddmNetwork& network() const;
  std::string inferred_network() const;
  void read_widths(const IddmNetwork& network);
  void read_activation();
  void read_size();
  void read_classes();
  std::vector<std::string> class_names(std::int64_t classes);

  std::filesystem::path path_;
  const ReadOptions& options_;
  TorchFile torch_;
  const PickleDict* dictionary_;
  std::map<std::string, at::Tensor> by_name_;
  ModelFile file_;
};

/// Empty where the file does not say it.
std::string IddmReader::text(const char* key) const {
  const PickleNode* node = entry(key);
  const auto* text = node == nullptr ? nullptr : node->as<std::string>();
  return text == nullptr ? "" : *text;
}

const at::Tensor& IddmReader::tensor(const std::string& name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) reject(cat("lacks the tensor ", name));
  if (found->second.dim() < 2) reject(cat("holds ", name, " without its dimensions"));
  return found->second;
}

std::string IddmReader::inferred_network() const {
  if (by_name_.contains("gff1.weight")) return "srv1";
  if (by_name_.contains("up1.up.weight")) return "unetv2";
  if (by_name_.contains("inc.conv.weight")) return "cspdarkunet";
  if (by_name_.contains("inc.double_conv.0.weight")) return "unet";
  reject("names no network of IDDM, and its tensors are of none that is known");
}

const IddmNetwork& IddmReader::network() const {
  const std::string said = text("network");
  const std::string name = said.empty() ? inferred_network() : said;
  for (const IddmNetwork& known : networks()) {
    if (known.name == name) return known;
  }
  refuse(cat("is of IDDM's network ", name, ", which Effuse does not have; it has ",
             networks()[0].name, " and ", networks()[1].name));
}

void IddmReader::read_widths(const IddmNetwork& network) {
  for (const std::string& name : network.width_tensors) {
    file_.model.channels.push_back(tensor(name).size(0));
  }
  if (file_.model.channels == network.own_widths) file_.model.channels.clear();
  file_.model.in_channels = tensor(network.width_tensors.front()).size(1);
}

void IddmReader::read_activation() {
  static constexpr std::array kSame{"gelu", "silu", "relu", "relu6"};
  const std::string said = text("act");
  std::string& act_fn = file_.model.act_fn;
  if (said.empty()) {
    if (options_.act_fn.empty()) {
      refuse(
          "does not say its activation. Say it: --set convert.act_fn=gelu (IDDM's default), silu, "
          "relu, relu6 or iddm_lrelu (IDDM's \"lrelu\")");
    }
    act_fn = options_.act_fn;
    return;
  }
  if (said != "lrelu" && std::find(kSame.begin(), kSame.end(), said) == kSame.end()) {
    refuse(cat("is of the activation ", said, ", which Effuse's networks of IDDM do not have"));
  }
  act_fn = said == "lrelu" ? "iddm_lrelu" : said;
  if (!options_.act_fn.empty() && options_.act_fn != act_fn) {
    refuse(cat("says that its activation is ", act_fn, ", but convert.act_fn is ", options_.act_fn,
               ". Leave that out"));
  }
}

/// "image_size": [height, width], or one number.
void IddmReader::read_size() {
  const PickleNode* node = entry("image_size");
  std::vector<const PickleNode*> items;
  if (node != nullptr && node->as<std::int64_t>()) items = {node};
  if (node != nullptr && node->as<PickleList>()) items = node->as<PickleList>()->items;
  if (node != nullptr && node->as<PickleTuple>()) items = node->as<PickleTuple>()->items;
  std::vector<std::int64_t> sizes;
  for (const PickleNode* item : items) {
    if (const auto* size = item->as<std::int64_t>()) sizes.push_back(*size);
  }
  if (sizes.empty() || options_.sample_size > 0) sizes = {options_.sample_size};
  if (sizes.front() < 1 || sizes.front() > 65536) {
    refuse("does not say the size of its images. Say it: --set convert.sample_size=64");
  }
  file_.model.sample_size = sizes.front();
  if (sizes.size() > 1 && sizes[1] != sizes[0]) {
    file_.notes.push_back(cat("trained on images of ", sizes[0], "x", sizes[1],
                              "; Effuse samples squares, of ", sizes[0], "x", sizes[0]));
  }
}

/// "classes_name": a list of text; numbers stand in for it.
std::vector<std::string> IddmReader::class_names(std::int64_t classes) {
  std::vector<std::string> names;
  const PickleNode* node = entry("classes_name");
  if (node != nullptr && node->as<PickleList>()) {
    for (const PickleNode* item : node->as<PickleList>()->items) {
      if (const auto* name = item->as<std::string>()) names.push_back(*name);
    }
  }
  if (std::cmp_equal(names.size(), classes)) return names;
  if (!names.empty()) {
    file_.notes.push_back(cat("its list of ", names.size(), " class names does not fit its ",
                              classes, " classes; they are called by number"));
  }
  names.clear();
  for (std::int64_t i = 0; i < classes; ++i) names.push_back(cat(i));
  return names;
}

void IddmReader::read_classes() {
  if (!by_name_.contains(kClassEmbedding)) {
    file_.model.num_class_embeds = 0;
    return;
  }
  const std::int64_t classes = tensor(kClassEmbedding).size(0);
  file_.model.num_class_embeds = classes + 1;  // IDDM's null class adds no embedding
  file_.class_names = class_names(classes);
}

ModelFile IddmReader::read() {
  file_.format = WeightsFormat::iddm;
  file_.tensors = iddm_tensors(torch_, options_.kind, path_.string());
  by_name_ = {file_.tensors.begin(), file_.tensors.end()};
  const IddmNetwork& kind = network();
  file_.model.name = kind.name;
  read_widths(kind);
  read_activation();
  read_size();
  read_classes();
  file_.diffusion = options_.diffusion;
  file_.sha256 = sha256_of_file(path_);
  file_.notes.push_back(cat("IDDM files do not store the noise schedule: taken is ",
                            file_.diffusion.schedule, " over ", file_.diffusion.timesteps,
                            " steps (--set diffusion.schedule=… for another)"));
  file_.notes.push_back("to sample as IDDM does, give effuse-sample --convention iddm");
  return std::move(file_);
}

}  // namespace

ModelFile read_iddm(const std::filesystem::path& path, const ReadOptions& options) {
  return IddmReader(path, options).read();
}

bool has_average(const std::filesystem::path& path) {
  const TorchFile file(path);
  const auto* dictionary = iddm_dictionary(file);
  const PickleNode* average = dictionary == nullptr ? nullptr : find(*dictionary, "ema_model");
  return average != nullptr && average->as<PickleDict>() != nullptr;
}

NamedTensors read_iddm_tensors(const std::filesystem::path& path, WeightsKind kind) {
  TorchFile file(path);
  return iddm_tensors(file, kind, path.string());
}

}  // namespace effuse
