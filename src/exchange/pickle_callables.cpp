#include "exchange/pickle_callables.hpp"

#include <array>
#include <utility>

#include "core/text.hpp"

namespace effuse {
namespace {

constexpr const char* kOrderedDict = "collections.OrderedDict";
constexpr const char* kTensor = "torch._utils._rebuild_tensor_v2";
constexpr const char* kParameter = "torch._utils._rebuild_parameter";

constexpr std::array<std::pair<std::string_view, c10::ScalarType>, 10> kStorages{{
    {"torch.FloatStorage", c10::ScalarType::Float},
    {"torch.DoubleStorage", c10::ScalarType::Double},
    {"torch.HalfStorage", c10::ScalarType::Half},
    {"torch.BFloat16Storage", c10::ScalarType::BFloat16},
    {"torch.LongStorage", c10::ScalarType::Long},
    {"torch.IntStorage", c10::ScalarType::Int},
    {"torch.ShortStorage", c10::ScalarType::Short},
    {"torch.CharStorage", c10::ScalarType::Char},
    {"torch.ByteStorage", c10::ScalarType::Byte},
    {"torch.BoolStorage", c10::ScalarType::Bool},
}};

/// Empty where the tuple holds more than integers.
std::optional<std::vector<std::int64_t>> integers_of(const PickleNode& node) {
  const auto* tuple = node.as<PickleTuple>();
  if (tuple == nullptr) return std::nullopt;
  std::vector<std::int64_t> integers;
  for (const PickleNode* item : tuple->items) {
    const auto* integer = item->as<std::int64_t>();
    if (integer == nullptr) return std::nullopt;
    integers.push_back(*integer);
  }
  return integers;
}

/// _rebuild_tensor_v2(storage, offset, sizes, strides, requires_grad, hooks[, metadata]).
PickleTensor tensor_of(const std::vector<const PickleNode*>& arguments,
                       const PickleReject& reject) {
  if (arguments.size() < 6 || arguments.size() > 7) reject("a tensor without its six parts");
  const auto* storage = arguments[0]->as<PickleStorage>();
  const auto* offset = arguments[1]->as<std::int64_t>();
  const auto sizes = integers_of(*arguments[2]);
  const auto strides = integers_of(*arguments[3]);
  if (storage == nullptr || offset == nullptr || !sizes || !strides) {
    reject("a tensor whose storage, offset, sizes or strides are something else");
  }
  return {*storage, *offset, *sizes, *strides};
}

/// _rebuild_parameter(tensor, requires_grad, hooks).
PickleTensor parameter_of(const std::vector<const PickleNode*>& arguments,
                          const PickleReject& reject) {
  const auto* tensor = arguments.empty() ? nullptr : arguments[0]->as<PickleTensor>();
  if (tensor == nullptr || arguments.size() != 3) reject("a parameter without its tensor");
  return *tensor;
}

}  // namespace

std::optional<PickleGlobal> known_callable(const std::string& module, const std::string& name) {
  const std::string whole = cat(module, ".", name);
  for (const char* callable : {kOrderedDict, kTensor, kParameter}) {
    if (whole == callable) return PickleGlobal{whole};
  }
  for (const auto& [storage, type] : kStorages) {
    if (whole == storage) return PickleGlobal{whole, type};
  }
  return std::nullopt;
}

PickleNode result_of(const PickleGlobal& callable, const PickleTuple& arguments,
                     const PickleReject& reject) {
  if (callable.name == kTensor) return {tensor_of(arguments.items, reject)};
  if (callable.name == kParameter) return {parameter_of(arguments.items, reject)};
  if (callable.name != kOrderedDict || !arguments.items.empty()) {
    reject(cat("a call of ", callable.name, " in a way that weights do not need"));
  }
  return {PickleDict{}};
}

PickleStorage storage_of(const PickleNode& id, const PickleReject& reject) {
  const auto* tuple = id.as<PickleTuple>();
  if (tuple == nullptr || tuple->items.size() < 5 || tuple->items.size() > 6) {
    reject("a persistent id that is no storage");
  }
  const auto* word = tuple->items[0]->as<std::string>();
  const auto* type = tuple->items[1]->as<PickleGlobal>();
  const auto* key = tuple->items[2]->as<std::string>();
  const auto* count = tuple->items[4]->as<std::int64_t>();
  if (word == nullptr || *word != "storage" || type == nullptr || key == nullptr ||
      count == nullptr || type->storage_type == c10::ScalarType::Undefined) {
    reject("a persistent id that is no storage of a known type");
  }
  if (tuple->items.size() == 6 && tuple->items[5]->as<PickleNone>() == nullptr) {
    reject("a storage that is a part of another, as torch before 0.4 wrote them");
  }
  return {*key, type->storage_type, *count};
}

}  // namespace effuse
