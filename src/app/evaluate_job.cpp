#include "app/evaluate_job.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "app/communicator.hpp"
#include "app/device.hpp"
#include "app/evaluation_report.hpp"
#include "app/outcome_flag.hpp"
#include "app/resolve.hpp"
#include "app/result_files.hpp"
#include "app/work_folder.hpp"
#include "comm/agreement.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "evaluation/enough_images.hpp"
#include "evaluation/extremes.hpp"
#include "evaluation/feature_scores.hpp"
#include "evaluation/pixel_scores.hpp"

namespace effuse {
namespace {

Program evaluate_program() {
  return {
      .name = "effuse-evaluate",
      .summary =
          "Scores a set of images: FID, KID, Inception Score, precision and recall, density and "
          "coverage against a reference, PSNR and SSIM of pairs. The work is split over MPI "
          "ranks and the numbers do not depend on how many there are. Stopped or killed, the same "
          "command continues where there is --output or --save-statistics.",
      .examples =
          "  effuse-evaluate --reference packed --images samples --weights "
          "pt_inception-2015-12-05-6726825d.pth\n"
          "  mpirun -n 2 effuse-evaluate --reference stats.npz --images samples.npz "
          "--metrics fid,is \\\n      --weights inception.pth --output result.json\n"
          "  effuse-evaluate --images packed --weights inception.pth --save-statistics "
          "stats.npz\n"
          "  effuse-evaluate --reference stats.npz --images part-0.npz,part-1.npz\n"
          "  effuse-evaluate --reference originals --images upscaled --metrics psnr,ssim\n",
      .sections = {"evaluation", "parallel"},
      .key_flags = {{"--images", "evaluation.images"},
                    {"--reference", "evaluation.reference"},
                    {"--metrics", "evaluation.metrics"},
                    {"--weights", "evaluation.weights"},
                    {"--allow-unknown-weights", "evaluation.allow_unknown_weights"},
                    {"--network", "evaluation.network"},
                    {"--convention", "evaluation.convention"},
                    {"--output", "evaluation.output"},
                    {"--save-statistics", "evaluation.save_statistics"},
                    {"--tile", "evaluation.tile"},
                    {"--kid-subset-size", "evaluation.kid_subset_size"},
                    {"--device", "parallel.device"}},
      .extra_flags = {outcome_flag()}};
}

/// Both sides, opened.
struct Inputs {
  EvaluationInput images;
  std::optional<EvaluationInput> reference;
};

void require_images(const EvaluationInput& input) {
  if (input.images) return;
  throw DataError(
      cat(input.text(), " holds statistics, but psnr and ssim compare pixels. Give the images."));
}

/// Sees to the sums that --save-statistics keeps: where a file lacks them, as ADM's do, its images
/// have to be gone through.
void require_sums(EvaluationInput& input) {
  const auto has_sums = [](const Statistics& statistics) { return statistics.moments.has_value(); };
  if (std::ranges::all_of(input.statistics, has_sums)) return;
  if (!input.images) {
    throw DataError(cat(input.text(),
                        " holds mu and sigma alone, without the sums that --save-statistics keeps. "
                        "Give the images."));
  }
  log::info(input.text(), " has no sums to keep: its images are gone through instead");
  input.statistics.clear();
}

/// plan_scores(), and throws ConfigError where there are no images or nothing is to be done.
ScorePlan plan_evaluation(const EvaluationConfig& config) {
  if (config.images.empty()) {
    throw ConfigError("evaluation.images is not set. Give --images FOLDER (or .npz file).");
  }
  const ScorePlan plan = plan_scores(config);
  if (plan.uses_features() || plan.compares_pairs() || !config.save_statistics.empty()) return plan;
  throw ConfigError(
      "nothing is to be done. Give --reference to compare with, --metrics is, or "
      "--save-statistics FILE.npz.");
}

Inputs open_inputs(const EvaluationConfig& config, const ScorePlan& plan) {
  Inputs inputs{open_input(config.images, "images"), std::nullopt};
  if (!config.reference.empty()) inputs.reference = open_input(config.reference, "reference");
  if (inputs.reference && !plan.needs_reference()) {
    log::warning("no metric that is asked for needs the reference: it is left aside");
  }
  if (plan.compares_pairs()) {
    require_images(inputs.images);
    require_images(*inputs.reference);
    require_pairs(*inputs.images.images, *inputs.reference->images);
  }
  if (plan.needs_features_of_images()) require_images_for_features(inputs.images);
  if (plan.needs_features_of_reference()) require_images_for_features(*inputs.reference);
  if (!config.save_statistics.empty()) require_sums(inputs.images);
  require_enough_images(
      plan, config,
      {inputs.images.count(), inputs.reference ? inputs.reference->count() : std::nullopt});
  return inputs;
}

/// Statistics on both sides compare without a network.
bool needs_network(const ScorePlan& plan, const Inputs& inputs, const EvaluationConfig& config) {
  const auto is_ready = [](const EvaluationInput& input) { return !input.statistics.empty(); };
  if (plan.needs_features_of_images()) return true;
  const bool has_work = plan.fid || !config.save_statistics.empty();
  return has_work &&
         !(is_ready(inputs.images) && (!inputs.reference || is_ready(*inputs.reference)));
}

/// One evaluation, from its inputs to its result.
class Evaluation {
 public:
  Evaluation(const CommandLine& line, Communicator& comm, at::Device device, int threads)
      : config_(line.config.evaluation),
        comm_(comm),
        device_(device),
        threads_(threads),
        work_(config_),
        plan_(agree_value(comm, [&] { return plan_evaluation(config_); })),
        inputs_(agree_value(comm, [&] { return open_inputs(config_, plan_); })) {
    require_same_images(inputs_.images, comm);
    if (inputs_.reference) require_same_images(*inputs_.reference, comm);
    agree(comm, [&] {
      if (comm_.rank() == 0) require_result_files(config_, outcome_file(line));
    });
  }

  JobEnd run();

 private:
  void begin_work();
  bool measure();
  bool wants_picture() const;
  void score();
  void write_picture();
  void write_result();
  void finish_work();
  JobEnd stopped() const;

  const EvaluationConfig& config_;
  Communicator& comm_;
  at::Device device_;
  int threads_;
  WorkFolder work_;
  ScorePlan plan_;
  Inputs inputs_;
  std::unique_ptr<FeatureNetwork> network_;
  std::unique_ptr<LockFile> lock_;  ///< of work_, at rank 0
  std::optional<Side> images_, reference_;
  EvaluationReport report_;
};

JobEnd Evaluation::stopped() const {
  const bool continues = network_ && work_.exists();
  log::info(
      "stopped (", signal_name(stop_signal()), " at this rank) without a result. ",
      continues ? "Run the same command again: it continues." : "The same command begins anew.");
  return {ExitCode::stopped, "asked to stop"};
}

/// Of images that have a reference in the space of features.
bool Evaluation::wants_picture() const {
  return network_ && inputs_.reference && inputs_.images.images && !config_.output.empty();
}

/// Where there is a network to be run and a result to stand beside.
void Evaluation::begin_work() {
  if (!network_ || !work_.exists()) return;
  agree(comm_, [&] {
    if (comm_.rank() == 0) lock_ = work_.lock();
  });
}

void Evaluation::finish_work() {
  agree(comm_, [&] {
    if (lock_) work_.remove();
  });
}

/// False where a rank was asked to stop.
bool Evaluation::measure() {
  if (!plan_.uses_features() && config_.save_statistics.empty()) return true;
  if (needs_network(plan_, inputs_, config_)) {
    network_ = agree_value(comm_, [&] { return make_feature_network(config_, device_); });
  }
  begin_work();
  SideTask task =
      reference_task(config_, plan_, network_.get(), threads_, progress_style(comm_.rank()));
  task.work_folder = work_.reference();
  if (inputs_.reference && (plan_.fid || plan_.needs_features_of_reference())) {
    reference_ = measure_side(*inputs_.reference, task, comm_, device_);
    if (!reference_) return false;
  }
  const bool keeps = plan_.needs_features_of_images() || wants_picture();
  task.work_folder = work_.images();
  task.pass.task = "images";
  task.pass.keep = keeps ? Keep::features : Keep::moments;
  task.cache = SideTask::Cache::none;
  images_ = measure_side(inputs_.images, task, comm_, device_);
  if (images_ && reference_) agree(comm_, [&] { require_same_network(*images_, *reference_); });
  return images_.has_value();
}

void Evaluation::score() {
  report_.scores = images_ ? score_features(plan_, *images_, reference_ ? &*reference_ : nullptr,
                                            config_, comm_, device_)
                           : nlohmann::ordered_json::object();
  if (images_) report_.network = images_->origin.value_or(FeatureOrigin{});
  report_.images = images_ ? images_->gaussian.count : inputs_.images.images->count();
  if (reference_) {
    report_.reference_images = reference_->gaussian.count;
  } else if (inputs_.reference) {
    report_.reference_images = inputs_.reference->count().value_or(0);
  }
  report_.settings = config_;
}

void Evaluation::write_picture() {
  if (!wants_picture() || !reference_) return;
  const Extremes extremes = find_extremes(*images_, *reference_, kPictureImages,
                                          static_cast<std::uint64_t>(config_.seed), comm_, device_);
  write_picture_of(extremes, *inputs_.images.images, picture_beside(config_.output), comm_);
}

void Evaluation::write_result() {
  agree(comm_, [&] {
    if (comm_.rank() != 0) return;
    if (!config_.save_statistics.empty()) {
      write_statistics(config_.save_statistics, *images_->moments,
                       images_->origin.value_or(FeatureOrigin{}),
                       inputs_.images.images ? inputs_.images.images->fingerprint() : "");
      log::info("statistics  ", config_.save_statistics);
    }
    tell(report_, config_.output);
  });
}

JobEnd Evaluation::run() {
  const SectionScope section(comm_, CommSection::evaluation);
  if (!measure()) return stopped();
  score();
  if (plan_.compares_pairs()) {
    const auto pixels = score_pixels(plan_, *inputs_.images.images, *inputs_.reference->images,
                                     config_.tile, progress_style(comm_.rank()), comm_, device_);
    if (!pixels) return stopped();
    report_.scores.update(*pixels);
  }
  write_result();
  write_picture();
  finish_work();
  return {};
}

JobEnd run_evaluation(JobContext& context) {
  const Config& config = context.line.config;
  const at::Device device = choose_device(config.parallel, context.session.local_rank());
  const int threads = choose_threads(config.parallel, context.session);
  at::set_num_threads(threads);
  const auto comm = open_communicator(context.session, config.parallel, device);
  require_same_config(*comm, config);
  return Evaluation(context.line, *comm, device, threads).run();
}

void check_evaluation(const CommandLine& line) {
  const EvaluationConfig& config = line.config.evaluation;
  choose_device(line.config.parallel, 0);
  const ScorePlan plan = plan_evaluation(config);
  const Inputs inputs = open_inputs(config, plan);
  require_result_files(config, outcome_file(line));
  if (needs_network(plan, inputs, config)) make_feature_network(config, at::kCPU);
  log::info("ok: ", inputs.images.text(),
            inputs.reference ? cat(" against ", inputs.reference->text()) : "");
}

}  // namespace

Job evaluate_job() { return {evaluate_program(), &check_evaluation, &run_evaluation}; }

}  // namespace effuse
