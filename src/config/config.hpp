#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// The configuration of all programs: plain structs with their defaults. What each key means, its
/// range and its place in the file stand once, in fields.cpp; nothing here knows TOML or the
/// command line.
namespace effuse {

struct RunConfig {
  std::string name = "run";
  std::string folder = "runs";
  std::int64_t steps = 0;
  std::int64_t images = 0;
  std::int64_t epochs = 0;
  std::int64_t batch_size = 128;
  std::int64_t seed = 0;
  std::int64_t log_every_steps = 50;
  bool deterministic = false;
};

struct DataConfig {
  std::string folder;
  std::int64_t workers = 1;
  std::int64_t prefetch_batches = 4;
  bool flip = false;
  bool verify = true;
  double max_bad_share = 0.001;
};

/// For unet2d the keys and defaults of diffusers' UNet2DModel; 0 or -1 means: taken from the data
/// set.
struct ModelConfig {
  std::string name = "unet2d";
  std::string pretrained;
  std::int64_t sample_size = 0;
  std::int64_t in_channels = 0;
  std::int64_t num_class_embeds = -1;
  bool null_class = true;
  std::vector<std::int64_t> channels;
  std::vector<std::int64_t> block_out_channels = {128, 256, 256, 256};
  std::vector<std::string> down_block_types = {"DownBlock2D", "AttnDownBlock2D", "DownBlock2D",
                                               "DownBlock2D"};
  std::vector<std::string> up_block_types = {"UpBlock2D", "UpBlock2D", "AttnUpBlock2D",
                                             "UpBlock2D"};
  std::int64_t layers_per_block = 2;
  std::int64_t attention_head_dim = 8;
  std::int64_t norm_num_groups = 32;
  double norm_eps = 1e-5;
  std::string act_fn = "silu";
  double dropout = 0.0;
  std::int64_t downsample_padding = 1;
  bool flip_sin_to_cos = true;
  double freq_shift = 0.0;
  bool center_input_sample = false;
  std::string resnet_time_scale_shift = "default";
};

struct DiffusionConfig {
  std::int64_t timesteps = 1000;
  std::string schedule = "linear";
  double beta_start = 1e-4;
  double beta_end = 0.02;
  double min_alpha_bar = 0.0;
  bool zero_terminal_snr = false;
  std::string prediction = "epsilon";
  std::string loss = "mse";
  double loss_delta = 1.0;
  double min_snr_gamma = 0.0;
  double label_drop = 0.1;
};

struct OptimizerConfig {
  std::string name = "adamw";
  double lr = 2e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double momentum = 0.937;
  double weight_decay = -1.0;
  double grad_clip = 1.0;
  std::string lr_schedule = "constant";
  std::int64_t warmup_steps = 0;
  double final_lr_ratio = 0.0;
};

struct EmaConfig {
  double decay = 0.9999;
  bool warmup = true;
  std::int64_t copy_steps = 0;
};

struct PrecisionConfig {
  std::string compute = "bf16";
  std::string weights = "fp32";
  std::string layout = "auto";
  bool tf32 = true;
  double loss_scale = 65536;
  std::int64_t loss_scale_growth_steps = 2000;
};

struct ParallelConfig {
  std::string device = "auto";
  std::string backend = "auto";
  std::int64_t threads = 0;
  std::int64_t micro_batch = 0;
  std::int64_t accumulation_steps = 0;
  double bucket_mib = 8;
  std::string gradient_type = "fp32";
  std::int64_t replica_check_every_steps = 1000;
  std::int64_t straggler_every_steps = 100;
  double straggler_ratio = 0.75;
  double startup_timeout_s = 600;
  double step_timeout_s = 300;
  double preview_timeout_s = 1800;
  double evaluation_timeout_s = 3600;
  double save_timeout_s = 1800;
};

struct CheckpointConfig {
  std::int64_t every_steps = 1000;
  std::int64_t keep_last = 2;
  std::int64_t keep_every_steps = 0;
  bool background = true;
};

/// What training does when a step is bad: its loss or gradient is not finite, or a spike.
struct RecoveryConfig {
  std::int64_t skip_limit = 3;
  double spike_factor = 20;
  double lr_factor = 0.5;
  std::int64_t max_restores = 3;
};

/// A fault on purpose, to try how a run survives it.
struct DrillConfig {
  std::string fault = "none";
  std::int64_t step = 1;
  std::int64_t rank = 0;
  std::int64_t operation = 1;
  double seconds = 1;
};

struct PreflightConfig {
  std::string folder = "runs";
  double disk_mib = 64;
  double min_free_gib = 1;
  double largest_mib = 64;
  double max_clock_skew_s = 1;
};

struct PreviewConfig {
  std::int64_t every_steps = 1000;
  std::int64_t per_class = 4;
  std::int64_t steps = 25;
  double guidance = 2.0;
};

struct MetricsConfig {
  bool draws = false;
  bool exporter = true;
  std::string ranks = "all";
  std::string address = "0.0.0.0";
  std::int64_t port = 0;
  std::string targets;
  std::string textfiles;
  double peak_tflops = 0;
  bool tensorboard = true;
  bool report = true;
};

struct PackConfig {
  std::string input;
  std::string output;
  std::int64_t image_size = 64;
  std::int64_t channels = 3;
  std::string fit = "crop";
  std::int64_t workers = 0;
  std::int64_t shard_size_mib = 256;
  double max_bad_share = 0.01;
  std::string part = "1/1";
};

struct InspectConfig {
  std::string dataset;
  bool verify = false;
  std::string sheet;
  std::int64_t sheet_images = 100;
};

struct SamplingConfig {
  std::string weights;
  std::string weights_kind = "ema";
  std::string output;
  std::string format = "png";
  std::int64_t quality = 95;
  std::int64_t number = 0;
  std::string seeds;
  std::string part = "1/1";
  std::string size;
  std::vector<std::string> classes = {"all"};
  std::vector<std::int64_t> labels;
  std::string classes_file;
  std::string dataset;
  std::string noise;
  double guidance = 2.0;
  std::int64_t seed = 0;
  std::string sampler = "ddim";
  std::int64_t steps = 50;
  double eta = 0.0;
  std::string variance = "fixed_small";
  std::string spacing = "auto";
  bool clip = true;
  std::string convention = "effuse";
  std::int64_t tile = 16;
  std::string compute = "fp32";
  bool cuda_graph = true;
  std::string evaluate;
};

struct EvaluationConfig {
  std::vector<std::string> images;
  std::vector<std::string> reference;
  std::vector<std::string> metrics;
  std::string output;
  std::string save_statistics;
  std::string weights;
  bool allow_unknown_weights = false;
  std::string network;
  std::string convention = "legacy-pytorch";
  std::int64_t tile = 32;
  std::int64_t workers = 0;
  std::int64_t kid_subsets = 100;
  std::int64_t kid_subset_size = 1000;
  std::int64_t splits = 10;
  std::int64_t neighbours = 3;
  std::int64_t density_neighbours = 5;
  std::int64_t seed = 0;
  bool cache = true;
  std::int64_t every_steps = 0;
  std::int64_t number = 10000;
};

struct ConvertConfig {
  std::string input;
  std::string output;
  std::string from = "auto";
  std::string to = "auto";
  std::string weights = "ema";
  std::string act_fn;
  std::int64_t sample_size = 0;
};

struct ReportConfig {
  std::vector<std::string> runs;
  std::string output;
  std::vector<std::string> samples;
};

struct Config {
  RunConfig run;
  DataConfig data;
  ModelConfig model;
  DiffusionConfig diffusion;
  OptimizerConfig optimizer;
  EmaConfig ema;
  PrecisionConfig precision;
  ParallelConfig parallel;
  CheckpointConfig checkpoint;
  RecoveryConfig recovery;
  DrillConfig drill;
  PreflightConfig preflight;
  PreviewConfig preview;
  MetricsConfig metrics;
  PackConfig pack;
  InspectConfig inspect;
  SamplingConfig sampling;
  EvaluationConfig evaluation;
  ConvertConfig convert;
  ReportConfig report;
};

}  // namespace effuse
