"""Dashboards of the data path, of reliability, and of generating and scoring images."""

from pages_runs import (AGE, FAULTS, GOODPUT, IMAGES_S, JOB, ONE_RUN, RANKS, SAVES, STARTS, WAITING, latest, mean_s)
from panels import BLUE, GREEN, RED, YELLOW, alerts, bars, column, dashboard, graph, heatmap, stat, steps, table, variable

BUCKET = "effuse_train_step_part_seconds_bucket"


def quantile(of, buckets):
    return f"histogram_quantile({of}, sum by (le) (rate({buckets}[$__rate_interval])))"


def mean(histogram):
    """Of a histogram's observations in the chosen time."""
    return (f"sum by (run) (increase({histogram}_sum{{@}}[$__range]))"
            f" / (sum by (run) (increase({histogram}_count{{@}}[$__range])) > 0)")


def data():
    now = [
        stat(4, "Waits for data", "max by (job, run) (run_rank:effuse_train_data_wait:ratio5m{@})", "percentunit",
             "Share of its step in which the rank that waits most waits for images. The others wait for it.", WAITING,
             decimals=1, trend=True),
        stat(4, "Emptiest queue", "min by (job, run) (effuse_data_queued_batches{@})", "none",
             "Batches read ahead and waiting, of the rank that has fewest. 0 for long: reading is too slow.",
             steps(RED, (1, GREEN)), trend=True),
        stat(4, "Read", "sum by (job, run) (rate(effuse_data_read_bytes_total{@}[$__rate_interval]))", "Bps",
             "Bytes a second from the shards, over all ranks.", decimals=1, trend=True),
        stat(4, "Read at a step", "sum by (job, run) (rate(effuse_data_read_bytes_total{@}[$__rate_interval])) / (sum by "
             "(job, run) (rate(effuse_train_steps_total{@}[$__rate_interval])) > 0)", "bytes",
             "Over all ranks: batch size times bytes of an image."),
        stat(4, "Damaged images", "sum by (job, run) (effuse_data_damaged_images_total{@})", "none",
             "Of this attempt. Each is replaced by the next whole one; beyond data.max_bad_share the run ends.", FAULTS,
             trend=True),
        stat(4, "Images per second", latest("effuse_train_images_per_second"), IMAGES_S, "Over all ranks, of the last steps.",
             decimals=1, trend=True),
    ]
    waiting = [
        graph(12, "Waiting for data", [("max by (rank) (run_rank:effuse_train_data_wait:ratio5m{@r})", "rank {{rank}}")],
              "percentunit", "Share of the rank's step. All ranks: the disk, or too few data.workers. One rank: its node.",
              low=0, colors=steps(GREEN, (0.3, RED)), legend="right"),
        graph(12, "Batches read ahead", [("min by (rank) (effuse_data_queued_batches{@r})", "rank {{rank}}")], "none",
              "Up to data.prefetch_batches. Mostly full: reading is no matter. Mostly 0: it is.", low=0, legend="right"),
        graph(8, "Waiting, a step", [(mean_s("rank", "data_wait", "@r"), "rank {{rank}}")], "s",
              "Seconds a step; on a GPU the step under way may hide it.", low=0),
        graph(8, "Sending to the device, a step", [(mean_s("rank", "upload", "@r"), "rank {{rank}}")], "s",
              "Seconds a step, beside the computing of the step before; nothing on CPUs.", low=0),
        graph(8, "Worst waits", [(quantile(0.5, f'{BUCKET}{{@r, part="data_wait"}}'), "half of all are below"),
                                 (quantile(0.99, f'{BUCKET}{{@r, part="data_wait"}}'), "99 % are below")], "s",
              "Over the chosen ranks. A high 99 % over a low half: reading stalls now and then, as on a busy file system; "
              "more data.prefetch_batches hide it.", low=0),
        heatmap(12, "Waits of the chosen ranks", f'sum by (le) (increase({BUCKET}{{@r, part="data_wait"}}[$__rate_interval]))',
                "s", "How many took how long."),
        graph(12, "Read", [("max by (rank) (rate(effuse_data_read_bytes_total{@r}[$__rate_interval]))", "rank {{rank}}")],
              "Bps", "Bytes a second from the shards. Ranks read alike; one below the others is slow.", low=0, legend="right"),
    ]
    damage = [
        graph(12, "Damaged images", [("max by (rank) (effuse_data_damaged_images_total{@r})", "rank {{rank}}")], "none",
              "Images whose CRC-32C was wrong, of this attempt. On one rank only: that node damages what it reads; on all: "
              "the file is damaged.", low=0, legend="right"),
        alerts(12),
    ]
    return dashboard("effuse-data", "Effuse: data path", "Whether training waits for images, on which rank, and for what.",
                     [JOB, ONE_RUN, RANKS], [STARTS], [
        ("Now", 4, now), ("Reading", 8, waiting), ("Damage", 7, damage)], hours=1)


def reliability():
    now = [
        stat(3, "Goodput", latest("effuse_train_goodput_ratio"), "percentunit", "Share of the run's time, over all its "
             "attempts and the time between, that was progress.", GOODPUT, decimals=1, trend=True),
        stat(3, "Goodput of an hour", "run:effuse_train_goodput:ratio1h{@}", "percentunit", "The last one; while the attempt is "
             "younger, of the whole run. Time without a process is left out.", GOODPUT, decimals=1, trend=True),
        stat(3, "Lost", "sum by (job, run) (run_reason:effuse_train_lost_seconds:max{@})", "s",
             "Of the whole run, for all reasons.", trend=True),
        stat(3, "Attempt", latest("effuse_train_attempts"), "none", "Times the run was started, this one included.",
             steps(GREEN, (3, YELLOW), (10, RED)), trend=True),
        stat(3, "Last checkpoint", "run:effuse_checkpoint_age:seconds{@}", "s", "Its age: what a kill would cost.", AGE),
        stat(3, "Steps at risk", f"{latest('effuse_train_step')} - {latest('effuse_checkpoint_step')}", "none",
             "Since the last checkpoint: a kill would have them redone."),
        stat(3, "Failed saves", latest("effuse_checkpoint_failures_total"), "none",
             "Attempts of this process to write a checkpoint that failed.", FAULTS),
        stat(3, "Free disk", latest("effuse_disk_free_bytes"), "bytes", "Of the file system of the run folder.", steps(BLUE),
             trend=True),
    ]
    lost = [
        bars(8, "Lost by reason", "sort_desc(sum by (reason) (run_reason:effuse_train_lost_seconds:max{@}))", "{{reason}}", "s",
             "Of the whole run. docs/metrics.md says what each reason means; `down` is the time between attempts, the queue "
             "included."),
        graph(16, "Lost, of each second",
              [("sum by (reason) (clamp_min(deriv(run_reason:effuse_train_lost_seconds:max{@}[5m]), 0))", "{{reason}}")],
              "percentunit", "Share of the time that goes to each reason now. What is left up to 100 % is progress.",
              stack=True, low=0, legend="right"),
        graph(12, "Goodput",
              [(latest("effuse_train_goodput_ratio"), "of the run"), ("run:effuse_train_goodput:ratio1h{@}", "of an hour")],
              "percentunit", "Below the dashed line for an hour, an alert fires.", low=0, high=1,
              colors=steps(RED, (0.7, GREEN))),
        graph(12, "Attempts", [(latest("effuse_train_attempts"), "attempt"), ("run:up:sum{@}", "ranks that answer")], "none",
              "Times the run was started, and how many of its exporters answer.", low=0),
    ]
    saves = [
        stat(4, "Training stands still", mean("effuse_checkpoint_save_seconds"), "s",
             "For a save, on average over the chosen time."),
        stat(4, "Until it is on disk", mean("effuse_checkpoint_write_seconds"), "s", "From the snapshot to the complete "
             "checkpoint, on average over the chosen time."),
        stat(4, "Size", latest("effuse_checkpoint_size_bytes"), "bytes", "Of the last checkpoint."),
        stat(4, "Checkpoints", latest("effuse_checkpoints_total"), "none", "Written by this attempt."),
        stat(4, "Room for", f"floor({latest('effuse_disk_free_bytes')} / ({latest('effuse_checkpoint_size_bytes')} > 0))",
             "suffix:checkpoints", "How many of that size fit on the disk.", steps(RED, (2, YELLOW), (10, GREEN))),
        stat(4, "Writing speed",
             f"{latest('effuse_checkpoint_size_bytes')} / on (run) ({mean('effuse_checkpoint_write_seconds')})", "Bps",
             "Size of the last checkpoint over the mean time of writing one.", decimals=1),
    ]
    disk = [
        graph(8, "Age of the last checkpoint", [("run:effuse_checkpoint_age:seconds{@}", "{{run}}")], "s",
              "A saw: each tooth is a checkpoint. One that goes on rising: saves fail, or steps do not advance.", low=0),
        graph(8, "Steps at risk", [(f"{latest('effuse_train_step')} - {latest('effuse_checkpoint_step')}", "{{run}}")], "none",
              "Since the last checkpoint.", low=0),
        graph(8, "Free disk",
              [(latest("effuse_disk_free_bytes"), "free"),
               ("max by (job, run) (predict_linear(effuse_disk_free_bytes{@}[1h], 4 * 3600))", "in four hours, at this pace"),
               (latest("effuse_disk_size_bytes"), "size")], "bytes", "Of the file system of the run folder.", low=0),
    ]
    return dashboard("effuse-reliability", "Effuse: reliability and goodput",
                     "Where a run's time went, how it survives, and what a kill would cost.", [JOB, ONE_RUN], [STARTS, SAVES], [
        ("Now", 4, now), ("Lost time", 8, lost), ("Saves", 4, saves), ("Checkpoints and disk", 8, disk),
        ("Alerts", 7, [alerts(24)])], hours=24)


def sampling():
    either = '{__name__=~"effuse_sample_images|effuse_evaluation_step", job!="effuse-final"}'
    jobs = variable("job", "Job", f"label_values({either}, job)", several=True)
    runs = variable("run", "Run", "label_values(" + either.replace('job!="effuse-final"', 'job=~"$job"') + ", run)", several=True)
    score = 'max by (run) (effuse_evaluation_score{@, metric="%s"})'
    now = [
        stat(4, "Jobs that generate", "count(effuse_sample_images_target{@}) or vector(0)", "none",
             "Jobs, and parts of jobs, that answer."),
        stat(4, "Images", "sum(effuse_sample_images{@}) / sum(effuse_sample_images_target{@})", "percentunit",
             "That are there, of those that these jobs will have made.", steps(BLUE), decimals=1),
        stat(4, "Images per second", "sum(effuse_sample_images_per_second{@})", IMAGES_S, "Of all jobs together.", decimals=2),
        stat(4, "Time left", "max(effuse_sample_time_left_seconds{@})", "s", "Of the job that takes longest."),
        stat(4, "Lowest FID", 'min(effuse_evaluation_score{@, metric="fid"})', "none", "Of the training runs that are "
             "evaluated: the last of each, the lowest of these.", decimals=2),
        stat(4, "Time in evaluations", 'max(run_reason:effuse_train_lost_seconds:max{@, reason="evaluation"})', "s",
             "That training stood still for them, of the run where it is most."),
    ]
    generating = [
        table(24, "Jobs", {"run": "Images", "part": "Part"}, [
            column("Progress", "max by (job, run, part) (effuse_sample_images{@} / effuse_sample_images_target{@})",
                   "percentunit", gauge=True),
            column("Made", "max by (job, run, part) (effuse_sample_images{@})"),
            column("Of", "max by (job, run, part) (effuse_sample_images_target{@})"),
            column("Images/s", "max by (job, run, part) (effuse_sample_images_per_second{@})", decimals=2),
            column("Left", "max by (job, run, part) (effuse_sample_time_left_seconds{@})", "s"),
            column("Memory", "max by (job, run, part) (effuse_memory_resident_bytes{@} and effuse_sample_images{@})", "bytes"),
        ], "One line a job, or part of one. Images of earlier jobs count as made."),
        graph(8, "Images",
              [("max by (run, part) (effuse_sample_images{@} / effuse_sample_images_target{@})", "{{run}} {{part}}")],
              "percentunit", "That are there, of the part's. Flat is standing still.", low=0, high=1),
        graph(8, "Images per second",
              [("sum by (run, part) (rate(effuse_sample_images_total{@}[$__rate_interval]))", "{{run}} {{part}}")], IMAGES_S,
              "They come in tiles: the line has steps where tiles are large.", low=0),
        graph(8, "Tiles per second",
              [("sum by (run, part) (rate(effuse_sample_tiles_total{@}[$__rate_interval]))", "{{run}} {{part}}")],
              "suffix:tiles/s", "What ranks take one after the other.", low=0),
    ]
    scores = [
        graph(8, "FID", [(score % "fid", "{{run}}")], "none", "Of the averaged weights during training; lower is better. "
              "Comparable between runs with the same reference, number and network only.", points=True),
        graph(8, "KID", [(score % "kid", "{{run}}")], "none", "As FID, with less bias where images are few; lower is better.",
              points=True),
        graph(8, "Inception Score", [(score % "is", "{{run}}")], "none", "Higher is better.", points=True),
        graph(12, "Fidelity and variety",
              [('max by (run, metric) (effuse_evaluation_score{@, metric=~"precision|recall"})', "{{run}} {{metric}}"),
               ('max by (run, metric) (effuse_evaluation_score{@, metric=~"density|coverage"})', "{{run}} {{metric}}")], "none",
              "Precision and density: how many generated images look real. Recall and coverage: how much of the real ones is "
              "covered. 1 is best; density may exceed it.", low=0, points=True),
        table(12, "Last scores", {"run": "Run", "metric": "Metric"}, [
            column("Score", "max by (run, metric) (effuse_evaluation_score{@})", decimals=4),
            column("Of step", "max by (run, metric) (effuse_evaluation_score{@} * 0 + on (job, run) group_left "
                              "max by (job, run) (effuse_evaluation_step{@}))")],
              "With the step whose weights were scored."),
    ]
    return dashboard("effuse-sampling", "Effuse: sampling and evaluation",
                     "How far jobs are that generate images, and how good the images of training runs are.",
                     [jobs, runs], [STARTS], [
        ("Now", 4, now), ("Generating", 8, generating), ("Scores", 8, scores), ("Alerts", 7, [alerts(24)])])
