#include "config/section.hpp"

namespace effuse {
namespace {

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
      .at_least(1)
      .key("deterministic", c.deterministic,
           "the same bits in every run on GPUs too: replaces or refuses what is not deterministic "
           "there (slower); CPUs always are");
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
      .key("verify", c.verify, "check each image's CRC-32C when it is read")
      .key(
          "max_bad_share", c.max_bad_share,
          "share of the data set's images that may be damaged: each is reported and the next whole "
          "one taken in its place; one more, and the job ends")
      .within(0, 1);
}

void add_model(std::vector<Field>& fields, ModelConfig& c) {
  Section(fields, "model")
      .key("name", c.name, "network")
      .experiment()
      .one_of({"unet2d", "unet", "cspdarkunet"})
      .key("pretrained", c.pretrained,
           "weights to start from, of any kind that effuse-convert reads: what fits by name and "
           "shape is taken; empty: none")
      .key("sample_size", c.sample_size, "image height and width; 0: that of the data set")
      .experiment()
      .at_least(0)
      .key("in_channels", c.in_channels, "image channels; 0: those of the data set")
      .experiment()
      .within(0, 4)
      .key(
          "num_class_embeds", c.num_class_embeds,
          "labels, the null class being the last; 0: unconditional; -1: the data set's classes and "
          "one null class, or unconditional for one class")
      .experiment()
      .at_least(-1)
      .key("null_class", c.null_class,
           "whether the last label is the null class; false for models that were trained without")
      .experiment()
      .key("channels", c.channels,
           "channels of unet (4 numbers) or cspdarkunet (5), finest first; []: those of IDDM")
      .experiment()
      .at_least(1)
      .may_be_empty()
      .key("act_fn", c.act_fn,
           "activation: silu, gelu, relu in all networks; swish, mish in unet2d; relu6, lrelu and "
           "iddm_lrelu (IDDM's own mixture under the name lrelu) in unet and cspdarkunet")
      .experiment()
      .one_of({"silu", "swish", "mish", "gelu", "relu", "relu6", "lrelu", "iddm_lrelu"});
}

void add_unet2d(std::vector<Field>& fields, ModelConfig& c) {
  Section(fields, "model")
      .key("block_out_channels", c.block_out_channels, "unet2d: channels of each level")
      .experiment()
      .only_for({"unet2d"})
      .at_least(1)
      .key("down_block_types", c.down_block_types, "unet2d: one per level, finest first")
      .experiment()
      .only_for({"unet2d"})
      .one_of({"DownBlock2D", "AttnDownBlock2D"})
      .key("up_block_types", c.up_block_types, "unet2d: one per level, coarsest first")
      .experiment()
      .only_for({"unet2d"})
      .one_of({"UpBlock2D", "AttnUpBlock2D"})
      .key("layers_per_block", c.layers_per_block, "unet2d: residual layers per level")
      .experiment()
      .only_for({"unet2d"})
      .at_least(1)
      .key("attention_head_dim", c.attention_head_dim,
           "unet2d: channels per attention head; 0: one head a level")
      .experiment()
      .only_for({"unet2d"})
      .at_least(0)
      .key("norm_num_groups", c.norm_num_groups, "unet2d: groups of the group normalisation")
      .experiment()
      .only_for({"unet2d"})
      .at_least(1)
      .key("norm_eps", c.norm_eps, "unet2d: epsilon of the group normalisation")
      .experiment()
      .only_for({"unet2d"})
      .at_least(0)
      .key("dropout", c.dropout, "unet2d: dropout probability in residual layers")
      .experiment()
      .only_for({"unet2d"})
      .within(0, 0.99)
      .key("downsample_padding", c.downsample_padding,
           "unet2d: padding of the strided convolutions")
      .experiment()
      .only_for({"unet2d"})
      .within(0, 1)
      .key("flip_sin_to_cos", c.flip_sin_to_cos, "unet2d: time embedding: cosines before sines")
      .experiment()
      .only_for({"unet2d"})
      .key("freq_shift", c.freq_shift, "unet2d: time embedding: shift of the frequency divisor")
      .experiment()
      .only_for({"unet2d"})
      .key("center_input_sample", c.center_input_sample,
           "unet2d: map inputs from [0, 1] to [-1, 1]")
      .experiment()
      .only_for({"unet2d"})
      .key("resnet_time_scale_shift", c.resnet_time_scale_shift,
           "unet2d: how residual layers take the time embedding: added, or as scale and shift")
      .experiment()
      .only_for({"unet2d"})
      .one_of({"default", "scale_shift"});
}

void add_diffusion(std::vector<Field>& fields, DiffusionConfig& c) {
  Section(fields, "diffusion")
      .key("timesteps", c.timesteps, "T, the number of noise levels")
      .experiment()
      .within(2, 1000000)
      .key("schedule", c.schedule,
           "noise schedule; squaredcos_cap_v2 is cosine, sqrt_linear is scaled_linear; sqrt needs "
           "min_alpha_bar")
      .experiment()
      .one_of({"linear", "cosine", "squaredcos_cap_v2", "scaled_linear", "sqrt_linear", "sqrt"})
      .key("beta_start", c.beta_start, "first beta (before the root, for sqrt); not of cosine")
      .experiment()
      .within(1e-8, 0.999)
      .key("beta_end", c.beta_end, "last beta (before the root, for sqrt); not of cosine")
      .experiment()
      .within(1e-8, 0.999)
      .key("min_alpha_bar", c.min_alpha_bar,
           "alpha-bar, the share of signal in the variance, is clipped to at least this; 0: not")
      .experiment()
      .within(0, 0.5)
      .key("zero_terminal_snr", c.zero_terminal_snr,
           "rescale the schedule so that the last time step is pure noise (Lin et al. 2023); not "
           "with prediction = epsilon")
      .experiment()
      .key("prediction", c.prediction,
           "what the network predicts: the noise, v (Salimans & Ho 2022), or the image")
      .experiment()
      .one_of({"epsilon", "v_prediction", "sample"})
      .key("loss", c.loss, "of prediction and target, per element")
      .experiment()
      .one_of({"mse", "l1", "huber", "smooth_l1"})
      .key("loss_delta", c.loss_delta,
           "where huber (its delta) and smooth_l1 (its beta) turn from square to linear")
      .experiment()
      .within(1e-6, 1e6)
      .key("min_snr_gamma", c.min_snr_gamma,
           "weight the loss by min(SNR, gamma) (Hang et al. 2023, who take 5); 0: all time steps "
           "alike")
      .experiment()
      .within(0, 1e6)
      .key("label_drop", c.label_drop,
           "probability, per image, to train on the null class (classifier-free guidance)")
      .experiment()
      .within(0, 1);
}

void add_optimizer(std::vector<Field>& fields, OptimizerConfig& c) {
  Section(fields, "optimizer")
      .key("name", c.name, "optimiser; sgd is with momentum")
      .experiment()
      .one_of({"adamw", "adam", "sgd"})
      .key("lr", c.lr, "peak learning rate")
      .experiment()
      .within(0, 10)
      .key("beta1", c.beta1, "adam, adamw: decay of the first moment")
      .experiment()
      .only_for({"adamw", "adam"})
      .within(0, 0.999999)
      .key("beta2", c.beta2, "adam, adamw: decay of the second moment")
      .experiment()
      .only_for({"adamw", "adam"})
      .within(0, 0.999999)
      .key("eps", c.eps, "adam, adamw: added to the root of the second moment")
      .experiment()
      .only_for({"adamw", "adam"})
      .within(1e-16, 1)
      .key("momentum", c.momentum, "sgd: momentum")
      .experiment()
      .only_for({"sgd"})
      .within(0, 0.999999)
      .key("weight_decay", c.weight_decay,
           "decoupled for adamw, added to the gradient for adam and sgd; -1: PyTorch's default, "
           "0.01 for adamw and 0 for the others")
      .experiment()
      .within(-1, 10)
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
      .experiment()
      .key("copy_steps", c.copy_steps,
           "first steps in which the average is a plain copy of the weights (IDDM: 2000)")
      .experiment()
      .at_least(0);
}

void add_precision(std::vector<Field>& fields, PrecisionConfig& c) {
  Section(fields, "precision")
      .key("compute", c.compute, "type of convolutions and matrix products")
      .experiment()
      .one_of({"fp32", "bf16", "fp16"})
      .key("weights", c.weights,
           "fp32: autocast, which casts weights for each product and computes norms and sums in "
           "fp32; compute: the network holds and computes all in the compute type, beside fp32 "
           "master weights that the optimiser changes")
      .experiment()
      .one_of({"fp32", "compute"})
      .key("layout", c.layout,
           "of images in memory: contiguous (NCHW) or channels_last (NHWC); auto: the faster one, "
           "channels_last on GPUs and for fp32, contiguous for bf16 and fp16 on CPUs")
      .one_of({"auto", "contiguous", "channels_last"})
      .key("tf32", c.tf32, "GPUs: fp32 convolutions and products with TF32's 10-bit mantissa")
      .experiment()
      .key("loss_scale", c.loss_scale,
           "fp16: the first factor of the loss, which keeps small gradients above zero; doubled "
           "and halved as training goes")
      .experiment()
      .within(1, 16777216)
      .key("loss_scale_growth_steps", c.loss_scale_growth_steps,
           "fp16: steps without overflow after which the factor is doubled")
      .experiment()
      .at_least(1);
}

}  // namespace

void add_experiment_fields(std::vector<Field>& fields, Config& config) {
  add_run(fields, config.run);
  add_data(fields, config.data);
  add_model(fields, config.model);
  add_unet2d(fields, config.model);
  add_diffusion(fields, config.diffusion);
  add_optimizer(fields, config.optimizer);
  add_ema(fields, config.ema);
  add_precision(fields, config.precision);
}

}  // namespace effuse
