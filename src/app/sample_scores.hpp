#pragma once

#include <string>

#include "app/run_job.hpp"
#include "app/sample_request.hpp"
#include "generation/tile_generator.hpp"

namespace effuse {

/// What sampling.evaluate asks of [evaluation], for the images of the request.
EvaluationConfig scores_wanted(const Config& config, const SampleRequest& request);

/// Throws ConfigError for requests whose images cannot be scored as they come: a part of a set,
/// which has no score, or a set that does not begin with a whole tile.
void require_scorable(const SampleRequest& request);

/// Collective. Generates the images of `request` and scores them without writing them: result.json,
/// its picture result.png, and a table on standard output, as effuse-evaluate has them, in the
/// set's folder. `record`: what samples.json would say of the set.
JobEnd score_samples(JobContext& context, const SampleRequest& request, const std::string& record,
                     const TileGenerator& generator, Communicator& comm, at::Device device,
                     int threads);

}  // namespace effuse
