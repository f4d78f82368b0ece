#include "report/page_data.hpp"

#include <cmath>
#include <cstdlib>

#include "core/text.hpp"
#include "core/version.hpp"
#include "report/json_file.hpp"

namespace effuse {
namespace {

constexpr int kFormat = 1;

/// Numbers that JSON has not become null.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

/// Six digits, of what is an average of several numbers anyway.
Json rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  std::ostringstream text;
  text.precision(6);
  text << value;
  return std::strtod(text.str().c_str(), nullptr);
}

/// A column of means, and where lines were joined of the least and the greatest, too. Nothing where
/// no line has the number.
Json column(const std::vector<LogStretch>& stretches, std::size_t series, bool with_extremes) {
  Json mean = Json::array(), least = Json::array(), greatest = Json::array();
  bool is_there = false;
  for (const LogStretch& stretch : stretches) {
    const LogStretch::Values& values = stretch.series[series];
    is_there = is_there || values.count > 0;
    mean.push_back(values.count == 1 ? number(values.sum) : rounded(values.mean()));
    least.push_back(values.count == 0 ? Json(nullptr) : rounded(values.least));
    greatest.push_back(values.count == 0 ? Json(nullptr) : rounded(values.greatest));
  }
  if (!is_there) return nullptr;
  if (!with_extremes) return {{"mean", mean}};
  return {{"mean", mean}, {"least", least}, {"greatest", greatest}};
}

Json curves_of(const TrainingLog& log) {
  const auto& stretches = log.curves.stretches();
  Json first = Json::array(), last = Json::array(), images = Json::array(), time = Json::array();
  for (const LogStretch& stretch : stretches) {
    first.push_back(stretch.first_step);
    last.push_back(stretch.last_step);
    images.push_back(stretch.images);
    time.push_back(number(stretch.time_s));
  }
  Json series = Json::object();
  for (std::size_t i = 0; i < kLogSeries.size(); ++i) {
    const bool with_extremes = log.curves.lines_each() > 1 && i < 4;  // loss to images_per_s
    if (Json values = column(stretches, i, with_extremes); !values.is_null()) {
      series[kLogSeries[i]] = std::move(values);
    }
  }
  Json tenths = Json::array();
  for (std::size_t i = 0; i < kTenths; ++i) {
    const Json values = column(stretches, kLogSeries.size() + i, false);
    tenths.push_back(values.is_null() ? values : values.at("mean"));
  }
  return {{"lines", log.lines},
          {"lines_each", log.curves.lines_each()},
          {"first_step", first},
          {"last_step", last},
          {"images", images},
          {"time_s", time},
          {"series", std::move(series)},
          {"timestep_loss", std::move(tenths)}};
}

Json outcome_of(const std::optional<RunOutcome>& outcome) {
  if (!outcome) return nullptr;
  return {{"outcome", outcome->outcome},
          {"exit_code", outcome->exit_code ? Json(*outcome->exit_code) : Json(nullptr)},
          {"step", outcome->step},
          {"total_steps", outcome->total_steps},
          {"reason", outcome->reason},
          {"slurm_job", outcome->slurm_job},
          {"attempt", outcome->attempt}};
}

Json environment_of(const std::optional<RunEnvironment>& environment) {
  if (!environment) return nullptr;
  Json ranks = Json::array();
  for (const auto& rank : environment->ranks) {
    ranks.push_back({{"host", rank.host}, {"device", rank.device}, {"name", rank.name}});
  }
  return {{"effuse", environment->effuse},
          {"revision", environment->revision},
          {"libtorch", environment->libtorch},
          {"compiler", environment->compiler},
          {"backend", environment->backend},
          {"world_size", environment->world_size},
          {"began", environment->began},
          {"threads_per_rank", environment->threads_per_rank},
          {"ranks", ranks}};
}

Json goodput_of(const std::optional<RunGoodput>& goodput) {
  if (!goodput) return nullptr;
  Json lost = Json::object(), kept = Json::array();
  for (const auto& [reason, seconds] : goodput->lost_s) lost[reason] = seconds;
  for (const auto& stretch : goodput->kept) {
    kept.push_back({{"after", stretch.after},
                    {"up_to", stretch.up_to},
                    {"productive_s", stretch.productive_s},
                    {"attempt", stretch.attempt}});
  }
  return {{"goodput", goodput->goodput},
          {"total_s", goodput->total_s},
          {"productive_s", goodput->productive_s},
          {"lost_s", lost},
          {"attempts", goodput->attempts},
          {"redone_steps", goodput->redone_steps},
          {"bad_steps", goodput->bad_steps},
          {"began_unix_s", goodput->began_unix_s},
          {"kept", kept}};
}

Json picture_of(const EmbeddedPicture& picture) {
  return {{"src", picture.data_uri},
          {"width", picture.width},
          {"height", picture.height},
          {"is_shrunk", picture.is_shrunk}};
}

Json previews_of(const RunPreviews& previews) {
  Json shown = Json::array();
  for (const RunPreview& preview : previews.shown) {
    shown.push_back({{"step", preview.step}, {"picture", picture_of(preview.picture)}});
  }
  return {
      {"found", previews.found}, {"unreadable", previews.unreadable}, {"shown", std::move(shown)}};
}

Json checkpoints_of(const std::vector<RunCheckpoint>& checkpoints) {
  Json list = Json::array();
  for (const RunCheckpoint& checkpoint : checkpoints) {
    list.push_back({{"step", checkpoint.step},
                    {"size_bytes", checkpoint.size_bytes},
                    {"written_unix_s", checkpoint.written_unix_s},
                    {"is_latest", checkpoint.is_latest},
                    {"is_best", checkpoint.is_best}});
  }
  return list;
}

Json samples_of(const std::vector<RunSamples>& samples) {
  Json list = Json::array();
  for (const RunSamples& set : samples) {
    Json settings = Json::object();
    for (const auto& [key, value] : set.settings) settings[key] = value;
    list.push_back({{"folder", set.folder},
                    {"number", set.number},
                    {"complete", set.complete},
                    {"weights_step", set.weights_step},
                    {"weights_kind", set.weights_kind},
                    {"settings", settings},
                    {"scores", set.scores},
                    {"grid", set.grid ? picture_of(*set.grid) : Json(nullptr)}});
  }
  return list;
}

Json bad_steps_of(const RunRecord& run) {
  Json described = Json::array();
  for (const RunBadStep& bad : run.bad_steps.first) {
    described.push_back({{"step", bad.step}, {"loss", bad.loss}, {"grad_norm", bad.grad_norm}});
  }
  return {{"count", run.bad_steps.count},
          {"described", described},
          {"logged", run.log.bad_steps},
          {"logged_count", run.log.bad_lines}};
}

Json evaluations_of(const std::vector<RunEvaluation>& evaluations) {
  Json list = Json::array();
  for (const RunEvaluation& evaluation : evaluations) {
    list.push_back({{"step", evaluation.step},
                    {"scores", evaluation.scores},
                    {"images", evaluation.images},
                    {"seconds", evaluation.seconds}});
  }
  return list;
}

const char* name_of(Continuation by) {
  switch (by) {
    case Continuation::attempt:
      return "attempt";
    case Continuation::restore:
      return "restore";
    case Continuation::unknown:
      break;
  }
  return "unknown";
}

const char* name_of(LockHolder job) {
  switch (job) {
    case LockHolder::alive:
      return "alive";
    case LockHolder::gone:
      return "gone";
    case LockHolder::unknown:
      break;
  }
  return "unknown";
}

Json restarts_of(const std::vector<Restart>& restarts) {
  Json list = Json::array();
  for (const Restart& restart : restarts) {
    list.push_back({{"after_step", restart.after_step},
                    {"by", name_of(restart.by)},
                    {"before_s", number(restart.before_s)},
                    {"after_s", number(restart.after_s)}});
  }
  return list;
}

Json run_json(const RunRecord& run) {
  Json config = Json::object();
  for (const auto& [key, value] : run.config) config[key] = value;
  return {{"name", run.name},
          {"folder", run.folder},
          {"config_text", run.config_text},
          {"config", std::move(config)},
          {"outcome", outcome_of(run.outcome)},
          {"environment", environment_of(run.environment)},
          {"goodput", goodput_of(run.goodput)},
          {"last",
           {{"step", run.log.last.step},
            {"images", run.log.last.images},
            {"time_s", number(run.log.last.time_s)}}},
          {"curves", curves_of(run.log)},
          {"restarts", restarts_of(run.log.restarts)},
          {"evaluations", evaluations_of(run.evaluations)},
          {"bad_steps", bad_steps_of(run)},
          {"previews", previews_of(run.previews)},
          {"checkpoints", checkpoints_of(run.checkpoints)},
          {"samples", samples_of(run.samples)},
          {"job", name_of(run.job)},
          {"next_command", run.next_command},
          {"last_sign_unix_s", run.last_sign_unix_s},
          {"problems", run.problems}};
}

}  // namespace

std::string page_data(const std::vector<RunRecord>& runs, double made_unix_s) {
  Json list = Json::array();
  for (const RunRecord& run : runs) list.push_back(run_json(run));
  const Json data{{"format", kFormat},
                  {"effuse", version()},
                  {"revision", revision()},
                  {"made_unix_s", made_unix_s},
                  {"runs", std::move(list)}};
  const std::string text = data.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string safe;
  safe.reserve(text.size() + 64);
  for (const char c : text) {
    if (c == '<') {
      safe += "\\u003c";  // only inside of strings: JSON has no other use for it
    } else {
      safe += c;
    }
  }
  return safe;
}

}  // namespace effuse
