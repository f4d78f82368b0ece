#include <iostream>

#include "boundary.hpp"
#include "config/command_line.hpp"
#include "core/files.hpp"
#include "core/text.hpp"
#include "image/png.hpp"
#include "shards/contact_sheet.hpp"
#include "shards/description.hpp"

namespace {

using namespace effuse;

Program program() {
  return {.name = "effuse-inspect",
          .summary =
              "Describes a packed data set: counts, classes, mean and deviation. Verifies "
              "its checksums, and draws a contact sheet.",
          .examples =
              "  effuse-inspect --dataset data/photos\n"
              "  effuse-inspect --dataset data/photos --verify --sheet photos.png\n",
          .sections = {"inspect"},
          .key_flags = {{"--dataset", "inspect.dataset"},
                        {"--verify", "inspect.verify"},
                        {"--sheet", "inspect.sheet"},
                        {"--sheet-images", "inspect.sheet_images"}},
          .extra_flags = {}};
}

void draw_sheet(const ShardedDataset& dataset, const InspectConfig& config) {
  const Image sheet = make_contact_sheet(dataset, config.sheet_images);
  const std::filesystem::path path = config.sheet;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
  write_file_atomically(path, encode_png(sheet));
  log::info("contact sheet: ", path.string());
}

ExitCode run(const CommandLine& line) {
  const InspectConfig& config = line.config.inspect;
  if (config.dataset.empty()) {
    throw ConfigError("inspect.dataset is not set: give a packed data set, --dataset FOLDER.");
  }
  const ShardedDataset dataset = ShardedDataset::open(config.dataset);
  if (line.check) {
    log::info("fine; ", human_count(static_cast<std::uint64_t>(dataset.size())), " images");
    return ExitCode::done;
  }
  std::cout << describe(dataset, compute_statistics(dataset, progress_style(0))) << std::flush;
  if (!config.sheet.empty()) draw_sheet(dataset, config);
  if (!config.verify) return ExitCode::done;
  const VerifyReport report = verify(dataset, progress_style(0));
  std::cout << describe(report) << std::flush;
  if (report.sound()) return ExitCode::done;
  throw DataError(cat(config.dataset, " is damaged. Copy the shards named above again, or pack ",
                      "the images again."));
}

}  // namespace

int main(int argc, char** argv) {
  return effuse::run_tool([&] {
    const auto line = parse_command_line(program(), argc, argv);
    return line ? run(*line) : ExitCode::done;
  });
}
