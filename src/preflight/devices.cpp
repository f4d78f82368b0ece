#include "preflight/devices.hpp"

#include <algorithm>
#include <fstream>

#include "core/text.hpp"
#include "preflight/gather.hpp"
#include "preflight/gpu.hpp"

namespace effuse {
namespace {

/// Of a GPU nobody uses, this process's own context and the driver take less than a tenth.
constexpr double kFreeShare = 0.9;

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

using RanksOf = std::map<std::string, std::vector<int>>;

/// Ranks by a text that their facts give; those for which it is empty are left out.
template <class Text>
RanksOf ranks_by(const std::vector<DeviceFacts>& facts, const Text& text) {
  RanksOf ranks;
  for (std::size_t rank = 0; rank < facts.size(); ++rank) {
    if (!facts[rank].error.empty()) continue;
    const std::string key = text(facts[rank], rank);
    if (!key.empty()) ranks[key].push_back(static_cast<int>(rank));
  }
  return ranks;
}

/// "NVIDIA H200 at ranks 0-7 (node-1); NVIDIA H100 at rank 8 (node-2)".
std::string list_of(const Places& places, const RanksOf& groups) {
  std::string text;
  for (const auto& [name, ranks] : groups) {
    text += cat(text.empty() ? "" : "; ", name, " at ", name_ranks(places, ranks));
  }
  return text;
}

void find_shared_gpus(Finding& finding, const Places& places,
                      const std::vector<DeviceFacts>& facts) {
  const RanksOf gpus = ranks_by(facts, [&](const DeviceFacts& f, std::size_t rank) {
    return f.identity.empty() ? "" : places[rank].host + " " + f.identity;
  });
  for (const auto& [gpu, ranks] : gpus) {
    if (ranks.size() == 1) continue;
    finding.problems.push_back(
        {Verdict::failed,
         cat(name_ranks(places, ranks),
             ": are on the same GPU (NCCL wants one each). Start as "
             "many ranks a node as it has GPUs (--ntasks-per-node), and see that Slurm gives every "
             "task all GPUs of its node (--gpus-per-node) or one of its own "
             "(--gpus-per-task=1).")});
  }
}

void find_mixtures(Finding& finding, const Places& places, const std::vector<DeviceFacts>& facts) {
  const RanksOf kinds =
      ranks_by(facts, [](const DeviceFacts& f, std::size_t) { return f.is_gpu ? "GPU" : "CPU"; });
  if (kinds.size() > 1) {
    finding.problems.push_back(
        {Verdict::failed,
         cat("some ranks compute on GPUs, others on CPUs: ", list_of(places, kinds),
             " (they cannot reduce gradients together). Ask Slurm for GPUs on every node "
             "(--gpus-per-node), or set parallel.device=cpu.")});
    return;
  }
  const RanksOf models = ranks_by(facts, [](const DeviceFacts& f, std::size_t) { return f.name; });
  if (models.size() < 2) return;
  finding.problems.push_back(
      {Verdict::warning,
       cat("the ranks compute on different models: ", list_of(places, models),
           " (the slowest sets the pace, and results are exact only on equal ones). Ask Slurm for "
           "one kind of node: --constraint or --gres=gpu:TYPE:N.")});
}

void find_used_gpus(Finding& finding, const Places& places, const std::vector<DeviceFacts>& facts) {
  std::vector<Complaint> used, idle;
  for (const Place& place : places) {
    const DeviceFacts& f = facts[static_cast<std::size_t>(place.rank)];
    if (!f.error.empty() || !f.is_gpu) continue;
    if (static_cast<double>(f.free_bytes) < kFreeShare * static_cast<double>(f.total_bytes)) {
      used.push_back({place.rank, cat("only ", human_bytes(f.free_bytes), " of the GPU's ",
                                      human_bytes(f.total_bytes),
                                      " are free (another process uses it). nvidia-smi on the host "
                                      "shows which.")});
    }
    if (f.visible > place.local_size) {
      idle.push_back({place.rank, cat("their host has ", f.visible, " GPUs for ", place.local_size,
                                      place.local_size == 1 ? " rank" : " ranks",
                                      " (the others are idle). Start a rank for each GPU.")});
    }
  }
  finding.add(problems_from(places, used, Verdict::warning));
  finding.add(problems_from(places, idle, Verdict::warning));
}

std::string describe(const std::vector<DeviceFacts>& facts) {
  const auto usable = [](const DeviceFacts& f) { return f.error.empty(); };
  const auto first = std::find_if(facts.begin(), facts.end(), usable);
  if (first == facts.end()) return "no rank has a device to compute on";
  if (!first->is_gpu) return cat("CPU, ", first->name);
  std::uint64_t least = UINT64_MAX;
  for (const DeviceFacts& f : facts) {
    if (usable(f) && f.is_gpu) least = std::min(least, f.free_bytes);
  }
  return cat(first->name, ", ", human_bytes(least), " of ", human_bytes(first->total_bytes),
             " free");
}

}  // namespace

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DeviceFacts, error, is_gpu, name, identity, free_bytes,
                                   total_bytes, visible)

DeviceFacts find_device(const std::function<at::Device()>& choose) {
  DeviceFacts facts;
  facts.error = error_of([&] {
    facts.visible = gpu_count();
    const at::Device device = choose();
    facts.is_gpu = device.is_cuda();
    if (!facts.is_gpu) {
      facts.name = processor_name();
      return;
    }
    const GpuFacts gpu = find_gpu(device.index());
    facts.name = gpu.name;
    facts.identity = gpu.identity;
    facts.free_bytes = gpu.free_bytes;
    facts.total_bytes = gpu.total_bytes;
  });
  return facts;
}

Finding judge_devices(const Places& places, const std::vector<DeviceFacts>& facts) {
  Finding finding{.check = "devices", .result = describe(facts)};
  finding.add(problems_from(places, errors_of(facts)));
  find_shared_gpus(finding, places, facts);
  find_mixtures(finding, places, facts);
  find_used_gpus(finding, places, facts);
  return finding;
}

Finding check_devices(Communicator& comm, const Places& places,
                      const std::function<at::Device()>& choose) {
  return judge_devices(places, gather(comm, find_device(choose)));
}

}  // namespace effuse
