#include "exchange/iddm_state.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

/// Tensors that are no weights: counters of some layers.
bool all_tensors(const PickleDict& dict) {
  return !dict.items.empty() &&
         std::all_of(dict.items.begin(), dict.items.end(), [](const auto& item) {
           return item.first->template as<std::string>() != nullptr &&
                  item.second->template as<PickleTensor>() != nullptr;
         });
}

std::string keys_of(const PickleDict& dict) {
  constexpr std::size_t kShown = 8;
  std::string list;
  for (std::size_t i = 0; i < std::min(dict.items.size(), kShown); ++i) {
    const auto* key = dict.items[i].first->as<std::string>();
    list += cat(i == 0 ? "" : ", ", key != nullptr ? *key : "(no text)");
  }
  return list.empty() ? "it is empty" : cat("it holds ", list);
}

/// The name of a tensor in a network that is neither wrapped nor of IDDM 1.2 or older.
std::string modern_name(std::string_view name) {
  constexpr std::string_view kWrapped = "module.";
  while (name.starts_with(kWrapped)) name.remove_prefix(kWrapped.size());
  if (name == "label_emb.weight") return "condition_adapter.label_emb.weight";
  return std::string(name);
}

const PickleDict& state_dict_of(const TorchFile& file, WeightsKind kind, const std::string& where) {
  const auto* root = file.root().as<PickleDict>();
  if (root == nullptr) {
    throw CheckpointError(cat(where, " holds ", kind_of(file.root()), ", no weights"));
  }
  if (all_tensors(*root)) return *root;
  if (iddm_dictionary(file) == nullptr) {
    throw CheckpointError(cat(
        where, " is neither a file of IDDM (with \"model\") nor a state_dict; ", keys_of(*root)));
  }
  const char* key = kind == WeightsKind::ema ? "ema_model" : "model";
  const PickleNode* found = find(*root, key);
  if (found == nullptr || found->as<PickleNone>() != nullptr) {
    throw ConfigError(cat(where,
                          " holds no averaged weights (IDDM saves them for conditional models "
                          "only). Take those of the last step: --weights model"));
  }
  const auto* dict = found->as<PickleDict>();
  if (dict == nullptr || !all_tensors(*dict)) {
    throw CheckpointError(cat("\"", key, "\" in ", where, " is no state_dict of tensors"));
  }
  return *dict;
}

}  // namespace

const PickleDict* iddm_dictionary(const TorchFile& file) {
  const auto* root = file.root().as<PickleDict>();
  if (root == nullptr) return nullptr;
  const PickleNode* model = find(*root, "model");
  return model != nullptr && model->as<PickleDict>() != nullptr ? root : nullptr;
}

NamedTensors iddm_tensors(TorchFile& file, WeightsKind kind, const std::string& where) {
  NamedTensors tensors;
  std::set<std::string> names;
  for (const auto& [key, value] : state_dict_of(file, kind, where).items) {
    const std::string name = modern_name(*key->as<std::string>());
    if (!names.insert(name).second) {
      throw CheckpointError(cat(where, " holds tensor ", name, " twice"));
    }
    tensors.emplace_back(name, file.tensor(*value->as<PickleTensor>(), name));
  }
  return tensors;
}

}  // namespace effuse
