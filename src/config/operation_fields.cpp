#include "config/section.hpp"

namespace effuse {
namespace {

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
      .key("accumulation_steps", c.accumulation_steps,
           "forward and backward passes a rank makes for one step; 0: as micro_batch asks")
      .at_least(0)
      .key("bucket_mib", c.bucket_mib,
           "size, in MiB, of the pieces in which gradients are summed over the ranks while the "
           "backward pass still runs; 0: one piece, after it")
      .within(0, 4096)
      .key("gradient_type", c.gradient_type,
           "type in which gradients travel between ranks; bf16: half the bytes, rounded")
      .one_of({"fp32", "bf16"})
      .key("replica_check_every_steps", c.replica_check_every_steps,
           "steps between comparisons of the ranks' weights, which are also made at each save; 0: "
           "at saves only")
      .at_least(0)
      .key("straggler_every_steps", c.straggler_every_steps,
           "steps between comparisons of the ranks' speeds; 0: never")
      .at_least(0)
      .key("straggler_ratio", c.straggler_ratio,
           "a rank is reported as slow where its speed is below this share of the median")
      .within(0, 1)
      .key("startup_timeout_s", c.startup_timeout_s, "deadline of collectives during start-up")
      .at_least(1)
      .key("step_timeout_s", c.step_timeout_s, "deadline of collectives during a step")
      .at_least(1)
      .key("preview_timeout_s", c.preview_timeout_s,
           "deadline of collectives during a preview; of effuse-sample: how long a rank may take "
           "for "
           "one denoising step or the writing of a tile")
      .at_least(1)
      .key("evaluation_timeout_s", c.evaluation_timeout_s,
           "deadline of collectives during an evaluation")
      .at_least(1)
      .key("save_timeout_s", c.save_timeout_s, "deadline of collectives during a save")
      .at_least(1);
}

void add_checkpoint(std::vector<Field>& fields, CheckpointConfig& c) {
  Section(fields, "checkpoint")
      .key("every_steps", c.every_steps, "steps between checkpoints; 0: only at the end or a stop")
      .at_least(0)
      .key("keep_last", c.keep_last, "checkpoints kept; at least two, to survive a damaged one")
      .at_least(2)
      .key("keep_every_steps", c.keep_every_steps,
           "checkpoints of steps divisible by this are kept for ever; 0: none")
      .at_least(0)
      .key("background", c.background,
           "write checkpoints from a snapshot while training goes on; false: training waits");
}

void add_recovery(std::vector<Field>& fields, RecoveryConfig& c) {
  Section(fields, "recovery")
      .key("skip_limit", c.skip_limit,
           "bad steps in a row (loss or gradient not finite, or a spike) that are skipped; one "
           "more, and the last checkpoint is restored")
      .at_least(0)
      .key("spike_factor", c.spike_factor,
           "a gradient norm above this multiple of its running average is a spike; 0: none is")
      .within(0, 1e9)
      .key("lr_factor", c.lr_factor,
           "the learning rate is multiplied by this whenever a checkpoint is restored; 1: kept")
      .within(1e-6, 1)
      .key("max_restores", c.max_restores, "restores after which the run ends as a failure")
      .at_least(0);
}

void add_drill(std::vector<Field>& fields, DrillConfig& c) {
  Section(fields, "drill")
      .key("fault", c.fault,
           "a fault on purpose, to try how a run survives it: nan, spike (in a gradient, of one "
           "step: to see the run go back, set recovery.skip_limit=0), kill, "
           "segfault, stop (the rank hangs), slow (each step, before its data), flip_weight (a bit "
           "of one), skip_reduction (the rank leaves one out), kill_in_save, fail_in_save (at an "
           "operation on files)")
      .one_of({"none", "nan", "spike", "kill", "segfault", "stop", "slow", "flip_weight",
               "skip_reduction", "kill_in_save", "fail_in_save"})
      .key("step", c.step,
           "the step it happens in, or from which on it does; first save: from it on")
      .at_least(1)
      .key("rank", c.rank, "the rank it happens to")
      .at_least(0)
      .key("operation", c.operation, "kill_in_save, fail_in_save: at which operation on files")
      .at_least(1)
      .key("seconds", c.seconds, "slow: how long the rank waits in each step")
      .within(0, 86400);
}

void add_preflight(std::vector<Field>& fields, PreflightConfig& c) {
  Section(fields, "preflight")
      .key("folder", c.folder, "folder whose disk is tried: that of the runs")
      .key("disk_mib", c.disk_mib, "MiB written to try the disk's speed")
      .within(1, 65536)
      .key("min_free_gib", c.min_free_gib, "free space there, in GiB, below which it fails")
      .at_least(0)
      .key("largest_mib", c.largest_mib, "the largest all-reduce tried, in MiB")
      .within(0.001, 16384)
      .key("max_clock_skew_s", c.max_clock_skew_s, "difference of clocks above which it fails")
      .at_least(0);
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
      .key("draws", c.draws,
           "write metrics/draws/rank-….jsonl: step, position, image, time step and CRC-32C of the "
           "noise of every image, to compare runs")
      .key("exporter", c.exporter, "serve Prometheus metrics over HTTP")
      .key("ranks", c.ranks, "which ranks of a training serve them: all, one a node, or rank 0")
      .one_of({"all", "node", "first"})
      .key("address", c.address, "address the exporters listen on")
      .key("port", c.port,
           "port of the exporters, of further ranks on a node the next ones; 0: free ones, written "
           "to metrics/targets/")
      .within(0, 65535)
      .key("targets", c.targets,
           "folder where Prometheus looks for target files of all runs; empty: only in the run")
      .key("textfiles", c.textfiles,
           "folder of node-exporter's textfile collector for the final values; empty: only in the "
           "run")
      .key("peak_tflops", c.peak_tflops,
           "what a rank's device can do at most, in 10^12 operations a second, for the MFU; 0: as "
           "known of the GPU")
      .at_least(0)
      .key("tensorboard", c.tensorboard, "write TensorBoard event files to metrics/tensorboard/")
      .key("report", c.report, "write report.html with every checkpoint and at the end");
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
      .within(0, 1)
      .key("part", c.part,
           "I/N: the I-th of N parts of the data set, I from 1; jobs of all parts share the output "
           "folder");
}

void add_inspect(std::vector<Field>& fields, InspectConfig& c) {
  Section(fields, "inspect")
      .key("dataset", c.dataset, "packed data set to describe")
      .key("verify", c.verify, "check every image's checksum")
      .key("sheet", c.sheet, "contact sheet to write (PNG)")
      .key("sheet_images", c.sheet_images, "images on the contact sheet")
      .within(1, 10000);
}

void add_sampled_set(Section& section, SamplingConfig& c) {
  section.key("weights", c.weights, "run folder, checkpoint, or what effuse-convert wrote or reads")
      .key("weights_kind", c.weights_kind, "averaged weights, or those of the last step")
      .one_of({"ema", "model"})
      .key("output", c.output, "folder to write")
      .key("format", c.format,
           "png, jpeg, webp: an image a file; h5: a packed data set; npz: arr_0 uint8 [N,H,W,C], "
           "arr_1 the classes; safetensors: the floats before quantisation, images [N,C,H,W]")
      .one_of({"png", "jpeg", "webp", "h5", "npz", "safetensors"})
      .key("quality", c.quality, "of jpeg and webp")
      .within(1, 100)
      .key("number", c.number,
           "images to generate; 0: those of seeds, else one per label, line of classes_file or row "
           "of the noise file, 64 without any of these")
      .within(0, 1e8)
      .key("seeds", c.seeds,
           "numbers of the images to generate, FIRST-LAST, as 0-49999; empty: 0 to number - 1")
      .key("part", c.part,
           "I/N: the I-th of N parts of the set, I from 1; jobs of all parts share the output "
           "folder")
      .key("size", c.size, "of the images in pixels, SIDE or WIDTHxHEIGHT; empty: as in training")
      .key("classes", c.classes,
           "names or numbers that images cycle through; [\"all\"]: every class; [\"histogram\"]: "
           "as often as in the training set")
      .key("labels", c.labels, "class number of each image, in place of classes; []: see classes")
      .at_least(0)
      .may_be_empty()
      .key("classes_file", c.classes_file,
           "text file with the name or number of a class in each line, in place of classes: image "
           "i is of the class in line i, counted from 0 and again from the first after the last")
      .key("dataset", c.dataset,
           "the training set, for classes = [\"histogram\"]; empty: where it was in training")
      .key("noise", c.noise,
           "safetensors file with the starting noise, noise [N,C,H,W], and for samplers that draw "
           "more step_noise [steps,N,C,H,W]; empty: drawn from the seed");
}

void add_sampler(Section& section, SamplingConfig& c) {
  section
      .key("guidance", c.guidance,
           "classifier-free guidance scale; 1: none, as with a model without classes")
      .within(0, 100)
      .key("seed", c.seed, "seed of the noise")
      .at_least(0)
      .key("sampler", c.sampler,
           "ddpm (Ho et al. 2020), ddim (Song et al. 2021), plms (Liu et al. 2022) or dpmpp_2m "
           "(Lu et al. 2022, DPM-Solver++ of order 2)")
      .one_of({"ddpm", "ddim", "plms", "dpmpp_2m"})
      .key("steps", c.steps, "denoising steps, 1 to diffusion.timesteps")
      .at_least(1)
      .key("eta", c.eta, "noise of ddim: 0 deterministic, 1 that of ddpm")
      .within(0, 1)
      .key("variance", c.variance, "noise of ddpm: the posterior's variance, or beta")
      .one_of({"fixed_small", "fixed_large"})
      .key("spacing", c.spacing,
           "time steps visited; auto: linspace, or what the convention does by default")
      .one_of({"auto", "linspace", "leading", "trailing"})
      .key("clip", c.clip,
           "clamp the predicted image to [-1, 1] in every step (convention diffusers: of ddpm and "
           "ddim)")
      .key("convention", c.convention,
           "whose arithmetic: effuse, or that of iddm or diffusers, to repeat old results")
      .one_of({"effuse", "iddm", "diffusers"})
      .key("tile", c.tile, "images computed together; the unit of exactness and of work")
      .within(1, 65536)
      .key("compute", c.compute, "type of convolutions and matrix products while sampling")
      .one_of({"fp32", "bf16"})
      .key("cuda_graph", c.cuda_graph,
           "on a GPU, record the network's work of a step once and replay it")
      .key("evaluate", c.evaluate,
           "reference to score the images against, as [evaluation] says, in place of writing them");
}

void add_sampling(std::vector<Field>& fields, SamplingConfig& c) {
  Section section(fields, "sampling");
  add_sampled_set(section, c);
  add_sampler(section, c);
}

void add_evaluation(std::vector<Field>& fields, EvaluationConfig& c) {
  Section(fields, "evaluation")
      .key("images", c.images,
           "what is scored: folders of images, packed data sets, .npz files of images (arr_0) or "
           "of statistics (mu, sigma); several are taken together")
      .may_be_empty()
      .key("reference", c.reference, "what it is compared with, as images")
      .may_be_empty()
      .key("metrics", c.metrics,
           "fid, kid, is (Inception Score), precision_recall, density_coverage; of pairs of images "
           "psnr, ssim; []: fid where there is a reference")
      .may_be_empty()
      .one_of({"fid", "kid", "is", "precision_recall", "density_coverage", "psnr", "ssim"})
      .key("output", c.output, "result to write (JSON); its picture lies beside it")
      .key("save_statistics", c.save_statistics,
           ".npz to write with the statistics of images, for later comparisons")
      .key("weights", c.weights,
           "file of the Inception network: pt_inception-2015-12-05-6726825d.pth")
      .key("allow_unknown_weights", c.allow_unknown_weights,
           "take weights with another SHA-256 than that file's")
      .key("network", c.network,
           "TorchScript file of another feature network, uint8 [N,3,H,W] to [N,D], in place of "
           "Inception")
      .key("convention", c.convention,
           "how images become Inception's input: as pytorch-fid, as TensorFlow (torch-fidelity), "
           "or as clean-fid")
      .one_of({"legacy-pytorch", "legacy-tensorflow", "clean"})
      .key(
          "tile", c.tile,
          "images in one pass of the feature network; fewer are filled up, so that features do not "
          "depend on the set")
      .within(1, 65536)
      .key("workers", c.workers, "threads that read images ahead; 0: as many as compute")
      .within(0, 1024)
      .key("kid_subsets", c.kid_subsets, "subsets of kid")
      .within(1, 1000000)
      .key("kid_subset_size", c.kid_subset_size, "images in each of them")
      .at_least(2)
      .key("splits", c.splits, "parts over which is has its deviation")
      .within(1, 1000000)
      .key("neighbours", c.neighbours, "k of precision_recall")
      .within(1, 1000)
      .key("density_neighbours", c.density_neighbours, "k of density_coverage")
      .within(1, 1000)
      .key("seed", c.seed, "seed of kid's subsets, of is' order and of the picture's random images")
      .at_least(0)
      .key("cache", c.cache,
           "keep the statistics of a packed data set in its folder, and take them from there")
      .key("every_steps", c.every_steps,
           "effuse-train: steps between evaluations of the averaged weights against reference, or "
           "else the data set, with the settings of [sampling]; 0: none")
      .at_least(0)
      .key("number", c.number, "effuse-train: images generated for each of them")
      .within(2, 1e8);
}

void add_convert(std::vector<Field>& fields, ConvertConfig& c) {
  Section(fields, "convert")
      .key("input", c.input, "weights to read: a file or a folder")
      .key("output", c.output, "where to write")
      .key("from", c.from, "format of the input; auto: recognised")
      .one_of({"auto", "iddm", "diffusers", "effuse", "safetensors"})
      .key("to", c.to,
           "format of the output; auto: safetensors for a name that ends so, else effuse")
      .one_of({"auto", "effuse", "diffusers", "safetensors"})
      .key("weights", c.weights, "averaged weights, or those of the last step")
      .one_of({"ema", "model"})
      .key("act_fn", c.act_fn, "activation, where an IDDM file does not say it (model.act_fn)")
      .one_of({"", "silu", "gelu", "relu", "relu6", "lrelu", "iddm_lrelu"})
      .key("sample_size", c.sample_size,
           "image height and width, in place of what an IDDM file says; 0: as it says")
      .within(0, 65536);
}

void add_report(std::vector<Field>& fields, ReportConfig& c) {
  Section(fields, "report")
      .key("runs", c.runs, "folders of the runs to tell of; several are compared")
      .may_be_empty()
      .key("output", c.output,
           "file to write (HTML); empty: report.html in the run's folder, of several runs "
           "comparison.html")
      .key("samples", c.samples,
           "folders of images made with these runs' weights; those in a run's folder or beside it "
           "are found without")
      .may_be_empty();
}

}  // namespace

void add_operation_fields(std::vector<Field>& fields, Config& config) {
  add_parallel(fields, config.parallel);
  add_checkpoint(fields, config.checkpoint);
  add_recovery(fields, config.recovery);
  add_drill(fields, config.drill);
  add_preflight(fields, config.preflight);
  add_preview(fields, config.preview);
  add_metrics(fields, config.metrics);
  add_pack(fields, config.pack);
  add_inspect(fields, config.inspect);
  add_sampling(fields, config.sampling);
  add_evaluation(fields, config.evaluation);
  add_convert(fields, config.convert);
  add_report(fields, config.report);
}

}  // namespace effuse
