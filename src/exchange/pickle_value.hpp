#pragma once

#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// What a pickle of weights says, as plain data.
namespace effuse {

struct PickleNode;

struct PickleNone {};

/// bytes, and str of Python 2.
struct PickleBytes {
  std::string bytes;
};

struct PickleTuple {
  std::vector<const PickleNode*> items;
};

struct PickleList {
  std::vector<const PickleNode*> items;
};

/// dict and collections.OrderedDict.
struct PickleDict {
  std::vector<std::pair<const PickleNode*, const PickleNode*>> items;
};

/// One of the few callables that are known; a storage class of torch has its type.
struct PickleGlobal {
  std::string name;  ///< "torch._utils._rebuild_tensor_v2"
  c10::ScalarType storage_type = c10::ScalarType::Undefined;
};

/// The elements of one or more tensors, to be found in the file by the key.
struct PickleStorage {
  std::string key;
  c10::ScalarType type = c10::ScalarType::Undefined;
  std::int64_t count = 0;
};

/// A tensor as it was described; nothing of it was checked against its storage.
struct PickleTensor {
  PickleStorage storage;
  std::int64_t offset = 0;
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> strides;
};

struct PickleNode {
  std::variant<PickleNone, bool, std::int64_t, double, std::string, PickleBytes, PickleTuple,
               PickleList, PickleDict, PickleGlobal, PickleStorage, PickleTensor>
      value;

  template <class T>
  const T* as() const {
    return std::get_if<T>(&value);
  }
};

/// "a string", "a tensor": what a node is, for messages.
const char* kind_of(const PickleNode& node);

/// The value of a text key, the last one where it was set twice, as in Python; null where there is
/// none.
const PickleNode* find(const PickleDict& dict, std::string_view key);

/// Owns its nodes in one flat list: they may refer to each other in circles and be nested without
/// bound, so whoever walks them must not recurse.
struct PickleDocument {
  std::deque<PickleNode> nodes;
  const PickleNode* root = nullptr;
  std::size_t size_bytes = 0;  ///< how much of what was read it takes up
};

}  // namespace effuse
