#include "boundary.hpp"
#include "config/command_line.hpp"
#include "core/stop.hpp"
#include "shards/pack_progress.hpp"
#include "shards/pack_report.hpp"
#include "shards/packer.hpp"

namespace {

using namespace effuse;

Program program() {
  return {.name = "effuse-pack",
          .summary =
              "Packs a folder of images (PNG, JPEG; one subfolder per class, or all in the "
              "folder itself) into HDF5 shards for training. Killed and started again, it "
              "continues.",
          .examples =
              "  effuse-pack --input photos --output data/photos --image-size 64\n"
              "  effuse-pack --config configs/pack/fashion-mnist.toml --check\n"
              "  effuse-pack --input photos --output data/photos --part 3/8\n",
          .sections = {"pack"},
          .key_flags = {{"--input", "pack.input"},
                        {"--output", "pack.output"},
                        {"--image-size", "pack.image_size"},
                        {"--channels", "pack.channels"},
                        {"--fit", "pack.fit"},
                        {"--workers", "pack.workers"},
                        {"--shard-size-mib", "pack.shard_size_mib"},
                        {"--max-bad-share", "pack.max_bad_share"},
                        {"--part", "pack.part"}},
          .extra_flags = {
              {"--fresh", "start over, removing what was packed to --output (of the part)", ""},
              {"--merge", "merge parts that are all packed, as the last part does itself", ""}}};
}

void check(const PackPlan& plan, bool merges) {
  if (merges) {
    check_merge(plan);
    log::info("fine; the parts can be merged, or are");
  } else {
    log::info("fine; ", counted(progress_so_far(plan)), " of them packed already");
  }
}

ExitCode run(const CommandLine& line) {
  install_stop_handlers();
  const bool merges = line.has("merge");
  const bool fresh = line.has("fresh");
  const PackPlan plan = plan_packing(line.config.pack, fresh ? Existing::discard : Existing::keep);
  if (merges && (fresh || !plan.part.is_all())) {
    throw ConfigError(
        "--merge goes with neither --part (the part that ends last merges by itself) nor --fresh "
        "(nothing would be left to merge). Give one of them.");
  }
  log::info(plan.summary());
  if (!line.check) return report(plan, merges ? merge(plan) : pack(plan, progress_style(0)));
  check(plan, merges);
  return ExitCode::done;
}

}  // namespace

int main(int argc, char** argv) {
  return effuse::run_tool([&] {
    const auto line = parse_command_line(program(), argc, argv);
    return line ? run(*line) : ExitCode::done;
  });
}
