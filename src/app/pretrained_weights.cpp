#include "app/pretrained_weights.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "comm/agreement.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "exchange/model_file.hpp"
#include "exchange/pretrained.hpp"
#include "models/network.hpp"
#include "models/weights.hpp"

namespace effuse {
namespace {

/// Averaged weights where the file has some: IDDM saves none of unconditional models.
PretrainedReport load(Network& network, const std::string& path) {
  const WeightsFormat format = detect_format(path);
  const WeightsKind kind =
      format == WeightsFormat::iddm && !has_average(path) ? WeightsKind::model : WeightsKind::ema;
  return load_pretrained(network, read_tensors(path, format, kind), path);
}

void announce(const PretrainedReport& report, const std::string& path) {
  constexpr std::size_t kShown = 40;
  const auto misfits = report.misfits();
  log::info("pretrained  ", report.loaded.size(), " tensors from ", path, ", ", misfits.size(),
            " that do not fit");
  for (std::size_t i = 0; i < misfits.size(); ++i) {
    if (i < kShown) log::info("  ", misfits[i]);
    if (i >= kShown) log::debug("  ", misfits[i]);
  }
  if (misfits.size() > kShown)
    log::info("  and ", misfits.size() - kShown, " more, which the run's logs list");
}

}  // namespace

void begin_from_pretrained(Network& network, Communicator& comm, const std::string& path) {
  agree(comm, [&] {
    if (comm.rank() == 0) announce(load(network, path), path);
  });
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : named_weights(network)) comm.broadcast(tensor, 0);
}

void check_pretrained(Network& network, const std::string& path) { load(network, path); }

}  // namespace effuse
