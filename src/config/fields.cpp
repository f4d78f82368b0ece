#include "config/fields.hpp"

#include <utility>

namespace effuse {
namespace {

/// Collects the fields of one section and lets constraints be chained to each.
class Section {
 public:
  Section(std::vector<Field>& fields, std::string name) : fields_(fields), name_(std::move(name)) {}

  template <class Value>
  Section& key(std::string key, Value& value, std::string doc) {
    fields_.push_back({name_, std::move(key), &value, std::move(doc), Role::operation, {}, {}, {}});
    return *this;
  }
  Section& experiment() {
    fields_.back().role = Role::experiment;
    return *this;
  }
  Section& at_least(double minimum) {
    fields_.back().minimum = minimum;
    return *this;
  }
  Section& within(double minimum, double maximum) {
    fields_.back().maximum = maximum;
    return at_least(minimum);
  }
  Section& one_of(std::vector<std::string> choices) {
    fields_.back().choices = std::move(choices);
    return *this;
  }

 private:
  std::vector<Field>& fields_;
  std::string name_;
};

void add_run(std::vector<Field>& fields, RunConfig& c) {
  Section(fields, "run")
      .key("name", c.name, "name of the run and of its folder")
      .key("folder", c.folder, "folder that holds the run folders")
      .key("steps", c.steps, "duration in optimiser steps (give one of steps, images, epochs)")
      .within(0, 1e12)
      .key("images", c.images, "duration in images seen")
      .within(0, 1e15)
      .key("epochs", c.epochs, "duration in passes over the data set")
      .within(0, 1e6)
      .key("batch_size", c.batch_size, "images per optimiser step over all ranks together")
      .experiment()
      .within(1, 1e9)
      .key("seed", c.seed, "seed of weights, data order, noise and time steps")
      .experiment()
      .at_least(0)
      .key("log_every_steps", c.log_every_steps, "steps between two lines of metrics/train.jsonl")
      .at_least(1);
}

void add_data(std::vector<Field>& fields, DataConfig& c) {
  Section(fields, "data")
      .key("folder", c.folder, "packed data set, as effuse-pack writes it")
      .key("workers", c.workers, "reader threads per rank; 0 reads in the training thread")
      .within(0, 256)
      .key("prefetch_batches", c.prefetch_batches, "batches read ahead per rank")
      .within(1, 1024)
      .key("flip", c.flip, "mirror images left to right with probability one half")
      .experiment()
      .key("verify", c.verify, "check each image's CRC-32C when it is read");
}

void add_model(std::vector<Field>& fields, ModelConfig& c) {
  Section(fields, "model")
      .key("name", c.name, "network")
      .experiment()
      .one_of({"unet2d"})
      .key("sample_size", c.sample_size, "image height and width; 0: that of the data set")
      .experiment()
      .at_least(0)
      .key("in_channels", c.in_channels, "image channels; 0: those of the data set")
      .experiment()
      .within(0, 4)
      .key("num_class_embeds", c.num_class_embeds,
           "rows of the class embedding, the null class being the last; 0: unconditional; "
           "-1: the data set's classes and one null class, or unconditional for one class")
      .experiment()
      .at_least(-1)
      .key("block_out_channels", c.block_out_channels, "channels of each level")
      .experiment()
      .at_least(1)
      .key("down_block_types", c.down_block_types, "one per level, finest first")
      .experiment()
      .one_of({"DownBlock2D", "AttnDownBlock2D"})
      .key("up_block_types", c.up_block_types, "one per level, coarsest first")
      .experiment()
      .one_of({"UpBlock2D", "AttnUpBlock2D"})
      .key("layers_per_block", c.layers_per_block, "residual layers per level")
      .experiment()
      .at_least(1)
      .key("attention_head_dim", c.attention_head_dim, "channels per attention head")
      .experiment()
      .at_least(1)
      .key("norm_num_groups", c.norm_num_groups, "groups of the group normalisation")
      .experiment()
      .at_least(1)
      .key("norm_eps", c.norm_eps, "epsilon of the group normalisation")
      .experiment()
      .at_least(0)
      .key("act_fn", c.act_fn, "activation")
      .experiment()
      .one_of({"silu", "swish", "mish", "gelu", "relu"})
      .key("dropout", c.dropout, "dropout probability in residual layers")
      .experiment()
      .within(0, 0.99)
      .key("downsample_padding", c.downsample_padding, "padding of the strided convolutions")
      .experiment()
      .within(0, 1)
      .key("flip_sin_to_cos", c.flip_sin_to_cos, "time embedding: cosines before sines")
      .experiment()
      .key("freq_shift", c.freq_shift, "time embedding: shift of the frequency divisor")
      .experiment()
      .key("center_input_sample", c.center_input_sample, "map inputs from [0, 1] to [-1, 1]")
      .experiment()
      .key("resnet_time_scale_shift", c.resnet_time_scale_shift,
           "how residual layers take the time embedding: added, or as scale and shift")
      .experiment()
      .one_of({"default", "scale_shift"});
}

void add_diffusion(std::vector<Field>& fields, DiffusionConfig& c) {
  Section(fields, "diffusion")
      .key("timesteps", c.timesteps, "T, the number of noise levels")
      .experiment()
      .within(2, 1000000)
      .key("schedule", c.schedule, "noise schedule")
      .experiment()
      .one_of({"linear", "cosine"})
      .key("beta_start", c.beta_start, "first beta of the linear schedule")
      .experiment()
      .within(1e-8, 0.999)
      .key("beta_end", c.beta_end, "last beta of the linear schedule")
      .experiment()
      .within(1e-8, 0.999)
      .key("label_drop", c.label_drop,
           "probability, per image, to train on the null class (classifier-free guidance)")
      .experiment()
      .within(0, 1);
}

void add_optimizer(std::vector<Field>& fields, OptimizerConfig& c) {
  Section(fields, "optimizer")
      .key("lr", c.lr, "peak learning rate of AdamW")
      .experiment()
      .within(0, 10)
      .key("beta1", c.beta1, "decay of the first moment")
      .experiment()
      .within(0, 0.999999)
      .key("beta2", c.beta2, "decay of the second moment")
      .experiment()
      .within(0, 0.999999)
      .key("eps", c.eps, "added to the root of the second moment")
      .experiment()
      .within(1e-16, 1)
      .key("weight_decay", c.weight_decay, "decoupled weight decay")
      .experiment()
      .within(0, 10)
      .key("grad_clip", c.grad_clip, "largest global gradient norm; 0: no clipping")
      .experiment()
      .at_least(0)
      .key("lr_schedule", c.lr_schedule, "course of the learning rate after the warm-up")
      .experiment()
      .one_of({"constant", "linear", "cosine"})
      .key("warmup_steps", c.warmup_steps, "steps of linear warm-up")
      .experiment()
      .at_least(0)
      .key("final_lr_ratio", c.final_lr_ratio, "learning rate of the last step, over lr")
      .experiment()
      .within(0, 1);
}

void add_ema(std::vector<Field>& fields, EmaConfig& c) {
  Section(fields, "ema")
      .key("decay", c.decay, "decay per step of the averaged weights; 0: no averaging")
      .experiment()
      .within(0, 0.9999999)
      .key("warmup", c.warmup, "use min(decay, (1 + step) / (10 + step)), so that early steps fade")
      .experiment();
}

void add_precision(std::vector<Field>& fields, PrecisionConfig& c) {
  Section(fields, "precision")
      .key("compute", c.compute, "type of convolutions and matrix products; weights stay fp32")
      .experiment()
      .one_of({"fp32", "bf16"});
}

void add_parallel(std::vector<Field>& fields, ParallelConfig& c) {
  Section(fields, "parallel")
      .key("device", c.device, "auto: a GPU where there is one")
      .one_of({"auto", "cpu", "cuda"})
      .key("backend", c.backend,
           "collectives; auto: nccl on GPUs, mpi on CPUs, single for one rank")
      .one_of({"auto", "single", "mpi", "nccl"})
      .key("threads", c.threads, "compute threads per rank; 0: cores of the host over its ranks")
      .within(0, 1024)
      .key("micro_batch", c.micro_batch,
           "largest number of images in one forward pass of a rank; 0: its whole share")
      .at_least(0)
      .key("startup_timeout_s", c.startup_timeout_s, "deadline of collectives during start-up")
      .at_least(1)
      .key("step_timeout_s", c.step_timeout_s, "deadline of collectives during a step")
      .at_least(1)
      .key("preview_timeout_s", c.preview_timeout_s,
           "deadline of collectives during a preview, and of effuse-sample's")
      .at_least(1)
      .key("save_timeout_s", c.save_timeout_s, "deadline of collectives during a save")
      .at_least(1);
}

void add_checkpoint(std::vector<Field>& fields, CheckpointConfig& c) {
  Section(fields, "checkpoint")
      .key("every_steps", c.every_steps, "steps between checkpoints; 0: only at the end or a stop")
      .at_least(0)
      .key("keep_last", c.keep_last, "checkpoints kept; at least two, to survive a damaged one")
      .at_least(2);
}

void add_preview(std::vector<Field>& fields, PreviewConfig& c) {
  Section(fields, "preview")
      .key("every_steps", c.every_steps, "steps between preview grids; 0: none")
      .at_least(0)
      .key("per_class", c.per_class, "images per class (rows of the grid)")
      .within(1, 64)
      .key("steps", c.steps, "DDIM steps")
      .at_least(1)
      .key("guidance", c.guidance, "guidance scale; 1: none")
      .within(0, 100);
}

void add_metrics(std::vector<Field>& fields, MetricsConfig& c) {
  Section(fields, "metrics")
      .key("exporter", c.exporter, "serve Prometheus metrics over HTTP from rank 0")
      .key("address", c.address, "address the exporter listens on")
      .key("port", c.port, "port of the exporter; 0: a free one, written to metrics/targets/")
      .within(0, 65535);
}

void add_pack(std::vector<Field>& fields, PackConfig& c) {
  Section(fields, "pack")
      .key("input", c.input, "folder of images: one subfolder per class, or a flat folder")
      .key("output", c.output, "data set folder to write")
      .key("image_size", c.image_size, "height and width of packed images, in pixels")
      .within(1, 65536)
      .key("channels", c.channels, "3: RGB, 1: grey")
      .within(1, 3)
      .key("fit", c.fit,
           "crop: resize and cut the centre; pad: shrink if larger, then black borders")
      .one_of({"crop", "pad"})
      .key("workers", c.workers, "decoding threads; 0: one per core")
      .within(0, 1024)
      .key("shard_size_mib", c.shard_size_mib, "image bytes per shard, in MiB")
      .within(1, 1048576)
      .key("max_bad_share", c.max_bad_share, "share of unreadable images above which packing stops")
      .within(0, 1);
}

void add_inspect(std::vector<Field>& fields, InspectConfig& c) {
  Section(fields, "inspect")
      .key("dataset", c.dataset, "packed data set to describe")
      .key("verify", c.verify, "check every image's checksum")
      .key("sheet", c.sheet, "contact sheet to write (PNG)")
      .key("sheet_images", c.sheet_images, "images on the contact sheet")
      .within(1, 10000);
}

void add_sampling(std::vector<Field>& fields, SamplingConfig& c) {
  Section(fields, "sampling")
      .key("weights", c.weights, "run folder or checkpoint folder")
      .key("weights_kind", c.weights_kind, "averaged weights, or those of the last step")
      .one_of({"ema", "model"})
      .key("output", c.output, "folder to write")
      .key("number", c.number, "images to generate")
      .at_least(1)
      .key("classes", c.classes,
           "names or numbers that images cycle through; [\"all\"]: every class")
      .key("guidance", c.guidance,
           "classifier-free guidance scale; 1: none, as with a model without classes")
      .within(0, 100)
      .key("seed", c.seed, "seed of the noise")
      .at_least(0)
      .key("sampler", c.sampler, "ddpm (Ho et al. 2020) or ddim (Song et al. 2021)")
      .one_of({"ddpm", "ddim"})
      .key("steps", c.steps, "denoising steps, 1 to diffusion.timesteps")
      .at_least(1)
      .key("eta", c.eta, "noise of ddim: 0 deterministic, 1 that of ddpm")
      .within(0, 1)
      .key("tile", c.tile, "images computed together; the unit of exactness and of work")
      .within(1, 65536)
      .key("compute", c.compute, "type of convolutions and matrix products while sampling")
      .one_of({"fp32", "bf16"});
}

}  // namespace

std::vector<Field> fields_of(Config& config) {
  std::vector<Field> fields;
  add_run(fields, config.run);
  add_data(fields, config.data);
  add_model(fields, config.model);
  add_diffusion(fields, config.diffusion);
  add_optimizer(fields, config.optimizer);
  add_ema(fields, config.ema);
  add_precision(fields, config.precision);
  add_parallel(fields, config.parallel);
  add_checkpoint(fields, config.checkpoint);
  add_preview(fields, config.preview);
  add_metrics(fields, config.metrics);
  add_pack(fields, config.pack);
  add_inspect(fields, config.inspect);
  add_sampling(fields, config.sampling);
  return fields;
}

}  // namespace effuse
