#include "app/sample_scores.hpp"

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "app/evaluation_report.hpp"
#include "app/generated_features.hpp"
#include "app/sample_report.hpp"
#include "app/scorer.hpp"
#include "comm/agreement.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "evaluation/extremes.hpp"
#include "generation/image_files.hpp"

namespace effuse {
namespace {

/// A few images of a set, by their places in it.
class PickedImages : public ImageSource {
 public:
  /// Collective. The pixels of `places`, wherever they lie.
  PickedImages(const SharedRows& pixels, const std::vector<std::int64_t>& places,
               Communicator& comm, at::Device device)
      : count_(pixels.count) {
    const at::Tensor picked = pixels.pick(places, comm, device);
    for (std::size_t i = 0; i < places.size(); ++i) {
      images_.emplace(places[i], image_at(picked, static_cast<std::int64_t>(i)));
    }
  }

  std::int64_t count() const override { return count_; }
  Image image(std::int64_t index) const override { return images_.at(index); }
  std::string name(std::int64_t index) const override { return cat("image ", index); }

 private:
  std::int64_t count_;
  std::map<std::int64_t, Image> images_;
};

void write_picture(const std::filesystem::path& file, const Side& images, const Scorer& scorer,
                   const SharedRows& pixels, Communicator& comm, at::Device device) {
  const Extremes extremes =
      find_extremes(images, scorer.reference(), kPictureImages,
                    static_cast<std::uint64_t>(scorer.config().seed), comm, device);
  std::vector<std::int64_t> places;
  for (const auto* group : {&extremes.nearest, &extremes.random, &extremes.farthest}) {
    places.insert(places.end(), group->begin(), group->end());
  }
  write_picture_of(extremes, PickedImages(pixels, places, comm, device), file, comm);
}

/// Empty where a rank was asked to stop.
std::optional<GeneratedSet> generate(JobContext& context, const SampleRequest& request,
                                     const TileGenerator& generator, const FeatureNetwork& network,
                                     Communicator& comm, at::Device device) {
  GeneratedTask task{.tiles = request.tiles(),
                     .features = Keep::features,  // for the picture
                     .pixels = GeneratedTask::Pixels::keep};
  std::optional<SampleReport> report;
  if (comm.rank() == 0) {
    report.emplace(context.line.config, context.session.host(), request.sampling.output,
                   request.part);
    task.report = [&](const TilesDone& done) {
      report->show({done.images, request.set.count(), done.images, done.tiles});
    };
  }
  auto set = generate_features(generator, task, network, comm, device);
  if (report) report->finish();
  return set;
}

JobEnd stopped() {
  log::info("stopped without a score; the same command begins anew");
  return {ExitCode::stopped, "asked to stop"};
}

}  // namespace

EvaluationConfig scores_wanted(const Config& config, const SampleRequest& request) {
  EvaluationConfig wanted = config.evaluation;
  wanted.reference = {config.sampling.evaluate};
  wanted.images = {config.sampling.weights};
  wanted.number = request.set.count();
  return wanted;
}

void require_scorable(const SampleRequest& request) {
  if (request.part.of > 1) {
    throw ConfigError(
        "sampling.part and sampling.evaluate do not go together: a part has no score. Let the "
        "parts write files, and score these with effuse-evaluate.");
  }
  if (request.set.first % request.sampling.tile != 0) {
    throw ConfigError(cat("sampling.evaluate: image ", request.set.first,
                          " is not the first of a tile of ", request.sampling.tile,
                          ". Begin sampling.seeds with a multiple of sampling.tile."));
  }
}

JobEnd score_samples(JobContext& context, const SampleRequest& request, const std::string& record,
                     const TileGenerator& generator, Communicator& comm, at::Device device,
                     int threads) {
  const SectionScope section(comm, CommSection::evaluation);
  Scorer scorer(scores_wanted(context.line.config, request), comm, device, threads);
  if (!scorer.measure_reference(progress_style(comm.rank()))) return stopped();
  auto set = generate(context, request, generator, scorer.network(), comm, device);
  if (!set) return stopped();
  const Side images = side_of(std::move(set->features), scorer.network());
  const EvaluationReport report{.scores = scorer.score(images),
                                .network = scorer.network().origin(),
                                .images = images.gaussian.count,
                                .reference_images = scorer.reference().gaussian.count,
                                .settings = scorer.config(),
                                .sampling = nlohmann::ordered_json::parse(record)};
  const std::filesystem::path folder = request.sampling.output;
  agree(comm, [&] {
    if (comm.rank() == 0) tell(report, folder / "result.json");
  });
  write_picture(folder / "result.png", images, scorer, set->pixels, comm, device);
  return {};
}

}  // namespace effuse
