#include "app/preflight_job.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <vector>

#include "app/communicator.hpp"
#include "app/device.hpp"
#include "app/resolve.hpp"
#include "comm/stop_agreement.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "preflight/clocks.hpp"
#include "preflight/cores.hpp"
#include "preflight/data.hpp"
#include "preflight/devices.hpp"
#include "preflight/disk.hpp"
#include "preflight/folder.hpp"
#include "preflight/layout.hpp"
#include "preflight/memory.hpp"
#include "preflight/reductions.hpp"
#include "preflight/table.hpp"
#include "preflight/versions.hpp"

namespace effuse {
namespace {

Program preflight_program() {
  return {.name = "effuse-preflight",
          .summary =
              "Tries whether an allocation is fit to train: cores, memory, devices, disk, data, "
              "collectives and clocks of all ranks. To be started as training will be.",
          .examples =
              "  mpirun -n 2 effuse-preflight --data packed\n"
              "  srun --mpi=pmix effuse-preflight --config run.toml --folder /shared/runs\n"
              "  effuse-preflight --config run.toml --set preflight.min_free_gib=100\n",
          .sections = {"preflight", "data", "parallel"},
          .key_flags = {{"--data", "data.folder"},
                        {"--folder", "preflight.folder"},
                        {"--device", "parallel.device"}},
          .extra_flags = {}};
}

/// `number` units; what no disk has is as much as can be said.
std::uint64_t bytes_of(double number, double unit) {
  constexpr double kMost = 1e19;
  return static_cast<std::uint64_t>(std::min(number * unit, kMost));
}

constexpr double kMib = 1 << 20;
constexpr double kGib = 1 << 30;

/// Over the hosts' network, whatever the ranks compute on: by it the ranks tell each other what
/// they found. It waits longer than any check, so that a rank whose check ran into its deadline
/// still finds the others.
std::unique_ptr<Communicator> open_host_communicator(Session& session,
                                                     const ParallelConfig& parallel) {
  return make_communicator(session, "auto", at::kCPU,
                           {.startup_s = 2 * parallel.startup_timeout_s});
}

/// All checks, one after the other. Rank 0 prints each row as it is found.
class Preflight {
 public:
  Preflight(JobContext& context, Communicator& comm)
      : session_(context.session), config_(context.line.config), comm_(comm) {}

  JobEnd run();

 private:
  std::vector<std::function<Finding()>> checks();
  Finding devices();
  Finding data();
  Finding reductions();
  void print(const std::string& text) const {
    if (comm_.rank() == 0) std::cout << text << std::flush;
  }

  Session& session_;
  const Config& config_;
  Communicator& comm_;
  Places places_;
  bool devices_failed_ = false;
};

std::vector<std::function<Finding()>> Preflight::checks() {
  const PreflightConfig& preflight = config_.preflight;
  const DiskWishes wishes{bytes_of(preflight.disk_mib, kMib),
                          bytes_of(preflight.min_free_gib, kGib)};
  return {[&] { return judge_layout(places_); },
          [&] { return check_versions(comm_, places_); },
          [&] { return check_clocks(comm_, places_, preflight.max_clock_skew_s); },
          [&] { return check_cores(comm_, places_, choose_threads(config_.parallel, session_)); },
          [&] { return check_memory(comm_, places_); },
          [&] { return devices(); },
          [&] { return check_folder(comm_, places_, preflight.folder); },
          [&, wishes] { return check_disk(comm_, places_, preflight.folder, wishes); },
          [&] { return data(); },
          [&] { return reductions(); }};
}

Finding Preflight::devices() {
  const Finding finding = check_devices(
      comm_, places_, [&] { return choose_device(config_.parallel, session_.local_rank()); });
  devices_failed_ = finding.verdict() == Verdict::failed;
  return finding;
}

Finding Preflight::data() {
  const std::string& folder = config_.data.folder;
  if (folder.empty()) return data_left_out();
  return check_data(comm_, places_, folder, progress_style(comm_.rank()));
}

Finding Preflight::reductions() {
  const auto left_out = [](const char* why) {
    return Finding{.check = "all-reduce", .result = why, .is_left_out = true};
  };
  if (comm_.world_size() == 1) return left_out("one rank has nothing to reduce");
  if (devices_failed_) return left_out("it needs the devices, which are not as they should be");
  const at::Device device = choose_device(config_.parallel, session_.local_rank());
  return check_reductions(
      comm_, places_, [&] { return open_communicator(session_, config_.parallel, device); }, device,
      bytes_of(config_.preflight.largest_mib, kMib));
}

JobEnd Preflight::run() {
  places_ = gather_places(comm_, session_);
  print(cat("effuse-preflight ", version(), "\n\n", table_head()));
  std::vector<Finding> findings;
  try {
    for (const auto& check : checks()) {
      findings.push_back(check());
      if (any_rank_stops(comm_, at::kCPU)) {
        print("\nstopped before the end\n");
        return {ExitCode::stopped, "asked to stop"};
      }
      print(table_row(findings.back()));
    }
  } catch (const CommError&) {
    print("\nnot fit: the ranks lost each other in the check after these\n");
    throw;
  }
  print("\n" + table_conclusion(findings));
  if (count_verdicts(findings, Verdict::failed) == 0) return {};
  return {ExitCode::failure, "not fit to train"};
}

JobEnd run_preflight(JobContext& context) {
  const Config& config = context.line.config;
  at::set_num_threads(choose_threads(config.parallel, context.session));
  const auto comm = open_host_communicator(context.session, config.parallel);
  require_same_config(*comm, config);
  return Preflight(context, *comm).run();
}

/// What can be known of the settings without looking at the allocation.
void check_settings(const CommandLine& line) {
  const Config& config = line.config;
  choose_device(config.parallel, 0);
  nearest_folder(config.preflight.folder);
  if (!config.data.folder.empty()) load_whole_manifest(config.data.folder);
  log::info("ok: would try ranks, cores, memory, devices, collectives, the disk of ",
            config.preflight.folder,
            config.data.folder.empty() ? "" : cat(" and the data set ", config.data.folder));
}

}  // namespace

Job preflight_job() { return {preflight_program(), &check_settings, &run_preflight}; }

}  // namespace effuse
