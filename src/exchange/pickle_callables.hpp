#pragma once

#include <functional>
#include <optional>
#include <string>

#include "exchange/pickle_value.hpp"

/// The meaning of the few callables that files of weights name.
namespace effuse {

/// Throws, with a problem to be told.
using PickleReject = std::function<void(const std::string&)>;

/// The callable of this name, nothing for any other.
std::optional<PickleGlobal> known_callable(const std::string& module, const std::string& name);

/// What calling `callable` with `arguments` means; `reject` is called for arguments it does not
/// take. An OrderedDict and a tensor are the only results.
PickleNode result_of(const PickleGlobal& callable, const PickleTuple& arguments,
                     const PickleReject& reject);

/// The storage that a persistent id stands for: ("storage", torch.FloatStorage, key, place, count),
/// and before torch 1.6 a sixth part, None.
PickleStorage storage_of(const PickleNode& id, const PickleReject& reject);

}  // namespace effuse
