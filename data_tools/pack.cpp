#include "boundary.hpp"
#include "config/command_line.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "shards/packer.hpp"
#include "shards/quarantine.hpp"

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
              "  effuse-pack --config configs/pack/fashion-mnist.toml --check\n",
          .sections = {"pack"},
          .key_flags = {{"--input", "pack.input"},
                        {"--output", "pack.output"},
                        {"--image-size", "pack.image_size"},
                        {"--channels", "pack.channels"},
                        {"--fit", "pack.fit"},
                        {"--workers", "pack.workers"},
                        {"--shard-size-mib", "pack.shard_size_mib"},
                        {"--max-bad-share", "pack.max_bad_share"}},
          .extra_flags = {{"--fresh", "start over, removing what was packed to --output", ""}}};
}

std::string counted(std::int64_t images) {
  return cat(human_count(static_cast<std::uint64_t>(images)), images == 1 ? " image" : " images");
}

ExitCode report(const PackPlan& plan, const PackOutcome& outcome) {
  const Manifest& manifest = outcome.manifest;
  const std::string so_far =
      cat(counted(manifest.image_count()), " in ", manifest.shards.size(),
          manifest.shards.size() == 1 ? " shard" : " shards", " in ", plan.output.string());
  if (outcome.result == PackResult::stopped) {
    log::warning("stopped by ", signal_name(stop_signal()), " with ", so_far,
                 ". Run the same command again: it continues.");
    return ExitCode::stopped;
  }
  if (outcome.result == PackResult::already_complete) {
    log::info("nothing to do: ", so_far, " are there, packed from the same images.");
    return ExitCode::done;
  }
  log::info("packed ", so_far, " in ", human_seconds(outcome.seconds),
            outcome.images_before > 0
                ? cat(" (", counted(outcome.images_before), " were there from before)")
                : "");
  if (!manifest.unreadable.empty()) {
    log::warning(counted(std::ssize(manifest.unreadable)), " could not be read: see ",
                 quarantine_path(plan.output).string());
  }
  return ExitCode::done;
}

ExitCode run(const CommandLine& line) {
  install_stop_handlers();
  const PackPlan plan =
      plan_packing(line.config.pack, line.has("fresh") ? Existing::discard : Existing::keep);
  log::info(plan.summary());
  if (!line.check) return report(plan, pack(plan, progress_style(0)));
  const Manifest before = progress_so_far(plan);
  log::info(cat("fine; ", counted(before.image_count()), " of them packed already"));
  return ExitCode::done;
}

}  // namespace

int main(int argc, char** argv) {
  return effuse::run_tool([&] {
    const auto line = parse_command_line(program(), argc, argv);
    return line ? run(*line) : ExitCode::done;
  });
}
