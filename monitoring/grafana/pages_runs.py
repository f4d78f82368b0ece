"""Dashboards of all runs, of one, and of its ranks."""

from panels import (BLUE, GREEN, RED, STATES, YELLOW, alerts, annotation, bars, column, dashboard, graph, heatmap, stat,
                    steps, table, variable)

JOB = variable("job", "Job", 'label_values(effuse_train_step{job!="effuse-final"}, job)')
RUN_QUERY = 'label_values(effuse_train_step{job="$job"}, run)'
ONE_RUN = variable("run", "Run", RUN_QUERY)
RUNS = variable("run", "Run", RUN_QUERY, several=True)
RANKS = variable("rank", "Rank", 'label_values(up{job="$job", run=~"$run"}, rank)', several=True)
STARTS = annotation("Starts", "max by (run) (effuse_train_start_timestamp_seconds{@})", BLUE, "{{run}} was started")
SAVES = annotation("Checkpoints", "max by (run) (effuse_checkpoint_last_success_timestamp_seconds{@})", GREEN,
                   "{{run}} saved a checkpoint", enabled=False)

IMAGES_S = "suffix:images/s"
GOODPUT = steps(RED, (0.7, YELLOW), (0.9, GREEN))
WAITING = steps(GREEN, (0.1, YELLOW), (0.3, RED))
SPEED = steps(RED, (0.75, YELLOW), (0.9, GREEN))
AGE = steps(GREEN, (3600, YELLOW), (21600, RED))
FAULTS = steps(GREEN, (1, RED))
SUM, COUNT = "effuse_train_step_part_seconds_sum", "effuse_train_step_part_seconds_count"
# What a rank does itself: without communication, where the fast wait for the slow. Sending to a GPU passes beside it.
WORK = "data_wait|forward|backward|update"
FIRING = 'ALERTS{alertname=~"Effuse.+", alertstate="firing", @}'


def mean_s(by, part, selector="@"):
    """Seconds a step of the parts that match, on average over the ranks that `by` leaves together."""
    every = f'sum by ({by}) (rate({COUNT}{{{selector}, part="forward"}}[$__rate_interval]))'
    return f'sum by ({by}) (rate({SUM}{{{selector}, part=~"{part}"}}[$__rate_interval])) / ({every} > 0)'


def by_part_s():
    """Seconds a step of each part that does not pass beside others, on average over the ranks."""
    of = '{@, part!~"hidden_communication|upload"}[$__rate_interval]'
    return f"sum by (part) (rate({SUM}{of})) / (sum by (part) (rate({COUNT}{of})) > 0)"


def latest(series):
    """Of the whole run: its value at the attempt of now."""
    return f"max by (job, run) ({series}{{@}})"


def overview():
    total = "or run:up:sum{@} * 0"
    now = [
        stat(3, "Runs that train", "count(run:up:sum{@} > 0) or vector(0)", "none", "Training runs with a process that answers.",
             to="effuse-run"),
        stat(3, "Exporters that do not answer", "count(up{@} == 0) or vector(0)", "none", "Ranks whose target file is there, "
             "but that do not answer: killed, unreachable, or hanging.", FAULTS, to="effuse-ranks"),
        stat(3, "Alerts", 'count(ALERTS{alertname=~"Effuse.+", alertstate="firing", run=~"$run"}) or vector(0)', "none",
             "Alerts that fire for these runs, of any job: they are listed below.", FAULTS),
        stat(3, "Images per second", "sum(effuse_train_images_per_second{@})", IMAGES_S, "Of all these runs together.",
             decimals=1),
        stat(3, "Lowest goodput", "min(run:effuse_train_goodput:ratio1h{@})", "percentunit",
             "Share of the last hour that was progress, of the run where it is lowest. Time in the queue is left out.", GOODPUT,
             to="effuse-reliability"),
        stat(3, "Oldest checkpoint", "max(run:effuse_checkpoint_age:seconds{@})", "s",
             "What a kill would cost the run where it is most.", AGE, to="effuse-reliability"),
        stat(3, "Least free disk", "min(effuse_disk_free_bytes{@} / effuse_disk_size_bytes{@})", "percentunit",
             "Of the file systems that hold the run folders: share that is free.", steps(RED, (0.05, YELLOW), (0.15, GREEN)),
             to="effuse-reliability"),
        stat(3, "Sampling jobs", 'count(up{job="effuse-sample"} == 1) or vector(0)', "none",
             "Jobs and parts of jobs that generate images.", to="effuse-sampling"),
    ]
    runs = table(24, "Runs", {"run": "Run"}, [
        column("State", "run:effuse_train_state:code{@}", texts=STATES),
        column("Progress", f"{latest('effuse_train_step')} / {latest('effuse_train_step_target')}", "percentunit", gauge=True),
        column("Left", latest("effuse_train_time_left_seconds"), "s"),
        column("Loss", "run:effuse_train_loss:avg5m{@}", decimals=4),
        column("Images/s", latest("effuse_train_images_per_second"), decimals=1),
        column("MFU", latest("effuse_train_mfu_ratio"), "percentunit"),
        column("Waits for data", "max by (job, run) (run_rank:effuse_train_data_wait:ratio5m{@})", "percentunit", WAITING),
        column("Slowest rank", "min by (job, run) (effuse_train_rank_speed_ratio{@})", "percentunit", SPEED),
        column("Goodput", "run:effuse_train_goodput:ratio1h{@}", "percentunit", GOODPUT),
        column("Checkpoint", "run:effuse_checkpoint_age:seconds{@}", "s", AGE),
        column("Attempt", latest("effuse_train_attempts")),
        column("Alerts", f"count by (job, run) ({FIRING}) {total}", colors=FAULTS),
    ], "One line a run, from what broke to what is slow: its state; how far it is; the loss of five minutes; where it loses "
       "time: waiting for data, for its slowest rank, goodput of the last hour; what a kill would cost. Choose a run for its "
       "dashboard.",
        link=("Run", "effuse-run"))
    course = [
        graph(8, "Progress", [(f"{latest('effuse_train_step')} / {latest('effuse_train_step_target')}", "{{run}}")],
              "percentunit", "Steps that are done, of those the run will have. Flat is standing still; a fall is going back "
              "to a checkpoint.", low=0, high=1),
        graph(8, "Loss", [("run:effuse_train_loss:avg5m{@}", "{{run}}")], "none", "Mean of five minutes.", log=True),
        graph(8, "Images per second", [("run:effuse_train_images:rate5m{@}", "{{run}}")], IMAGES_S,
              "Over all ranks, of five minutes.", low=0),
        graph(8, "Goodput of an hour", [("run:effuse_train_goodput:ratio1h{@}", "{{run}}")], "percentunit",
              "Share of the hour before that was progress; the alert's limit is dashed.", low=0, high=1,
              colors=steps(RED, (0.7, GREEN))),
        graph(8, "Waiting for data", [("max by (run) (run_rank:effuse_train_data_wait:ratio5m{@})", "{{run}}")], "percentunit",
              "Share of its step in which the rank that waits most did. The alert's limit is dashed.", low=0, high=1,
              colors=steps(GREEN, (0.3, RED))),
        graph(8, "Free disk", [("max by (run) (effuse_disk_free_bytes{@})", "{{run}}")], "bytes",
              "Of the file system of the run folder.", low=0),
    ]
    of = 'job="effuse-final", run=~"$run"'
    ends = table(14, "How runs ended", {"run": "Run"}, [
        column("Exit code", f"max by (run) (effuse_train_exit_code{{{of}}})", texts={
            0: ("done", GREEN), 75: ("stopped", BLUE), 1: ("failure", RED), 2: ("bad configuration", RED), 3: ("bad data", RED)}),
        column("Ended", f"1000 * max by (run) (effuse_train_end_timestamp_seconds{{{of}}})", "dateTimeAsIso"),
        column("Step", f"max by (run) (effuse_train_step{{{of}}})"),
        column("Loss", f"max by (run) (effuse_train_loss{{{of}}})", decimals=4),
        column("Goodput", f"max by (run) (effuse_train_goodput_ratio{{{of}}})", "percentunit", GOODPUT),
    ], "Final values that jobs left for node-exporter (metrics.textfiles). Empty without one: see monitoring/README.md. "
       "`stopped` runs are continued by the same command.")
    return dashboard("effuse-overview", "Effuse: overview of runs",
                     "All training runs: which is broken, which is slow, and for what.", [JOB, RUNS], [STARTS], [
        ("Now", 4, now), ("Runs", 9, [runs]), ("Course", 8, course),
        ("What happened", 8, [alerts(10), ends])])


def run():
    first = [
        stat(3, "State", "run:effuse_train_state:code{@}", "none", "`stands still`: no step within ten minutes. "
             "`evaluates`: an evaluation or preview is under way. `gone`: no process answers.", texts=STATES),
        stat(3, "Progress", f"{latest('effuse_train_step')} / {latest('effuse_train_step_target')}", "percentunit",
             "Steps that are done, of those the run will have.", steps(BLUE), decimals=1, trend=True),
        stat(3, "Time left", latest("effuse_train_time_left_seconds"), "s", "At the pace of now.", decimals=1, trend=True),
        stat(3, "Loss", "run:effuse_train_loss:avg5m{@}", "none", "Mean of five minutes.", decimals=4, trend=True),
        stat(3, "Images per second", latest("effuse_train_images_per_second"), IMAGES_S, "Over all ranks, of the last steps.",
             decimals=1, trend=True),
        stat(3, "Goodput", latest("effuse_train_goodput_ratio"), "percentunit", "Share of the run's time, over all its "
             "attempts, that was progress.", GOODPUT, decimals=1, to="effuse-reliability", trend=True),
        stat(3, "Last checkpoint", "run:effuse_checkpoint_age:seconds{@}", "s", "Its age: what a kill would cost.", AGE,
             to="effuse-reliability"),
        stat(3, "Alerts", f"count({FIRING}) or vector(0)", "none", "That fire for this run.", FAULTS),
    ]
    second = [
        stat(3, "Ranks that answer", f"run:up:sum{{@}} / {latest('effuse_train_exporters')}", "percentunit",
             "Of those that serve metrics.", steps(RED, (1, GREEN)), to="effuse-ranks"),
        stat(3, "Attempt", latest("effuse_train_attempts"), "none", "Times the run was started, this one included.",
             to="effuse-reliability"),
        stat(3, "Epoch", latest("effuse_train_epoch"), "none", "Of the last image seen, from 0.", trend=True),
        stat(3, "MFU", latest("effuse_train_mfu_ratio"), "percentunit", "Model FLOP/s utilisation: of the peak of the "
             "devices. Absent where it is not known (metrics.peak_tflops).", decimals=1, trend=True),
        stat(3, "Waits for data", "max by (job, run) (run_rank:effuse_train_data_wait:ratio5m{@})", "percentunit",
             "Share of its step in which the rank that waits most waits for images.", WAITING, decimals=1, to="effuse-data",
             trend=True),
        stat(3, "Slowest rank's speed", "min by (job, run) (effuse_train_rank_speed_ratio{@})", "percentunit",
             "Of the median rank's. All wait for it. Absent with one rank.", SPEED, decimals=0, to="effuse-ranks", trend=True),
        stat(3, "Skipped steps", "sum by (job, run) (effuse_train_skipped_steps_total{@})", "none",
             "Of this attempt: not finite, a spike, or an overflow of fp16.", steps(GREEN, (1, YELLOW)), trend=True),
        stat(3, "Went back", latest("effuse_train_restores_total"), "none", "Times this attempt went back to a checkpoint "
             "after bad steps.", FAULTS),
    ]
    learning = [
        graph(12, "Loss",
              [("run:effuse_train_loss:last{@}", "of the last batch"), ("run:effuse_train_loss:avg5m{@}", "mean of 5 minutes")],
              "none", "Of the training objective, over the global batch. Single batches scatter.", log=True),
        graph(12, "Loss by time steps", [("max by (timesteps) (effuse_train_timestep_loss{@})", "{{timesteps}}")], "none",
              "Mean since the last log line, by tenths of the diffusion's time steps: low ones are nearly the image, high "
              "ones nearly noise. Where one goes up alone, look at schedule, prediction and weighting.", log=True,
              legend="right"),
        graph(8, "Gradient norm", [(latest("effuse_train_grad_norm"), "before clipping")], "none",
              "Global, before clipping. Spikes come before trouble.", log=True),
        graph(8, "Learning rate", [(latest("effuse_train_learning_rate"), "{{run}}")], "sci",
              "Of the last step; lower after going back to a checkpoint.", low=0),
        graph(8, "Bad steps and overflows",
              [("sum by (reason) (increase(effuse_train_skipped_steps_total{@}[$__rate_interval]))", "{{reason}}"),
               ("sum(increase(effuse_train_restores_total{@}[$__rate_interval]))", "went back to a checkpoint")], "none",
              "Steps that changed nothing: `bad` is a loss or gradient not finite, or a spike; `overflow` is fp16's.", low=0),
        graph(8, "Loss scale", [(latest("effuse_train_loss_scale"), "{{run}}")], "none",
              "Of fp16; 1 without. Falling on and on is divergence.", log=True),
        graph(8, "Decay of the averaged weights", [(latest("effuse_train_ema_decay"), "{{run}}")], "none",
              "Rises to ema.decay during its warm-up."),
        graph(8, "Steps", [(latest("effuse_train_step"), "done"), (latest("effuse_train_step_target"), "of")], "none",
              "Optimiser steps of the run. Flat is standing still; a fall is going back to a checkpoint.", low=0),
    ]
    speed = [
        graph(12, "Where a step's time goes", [(by_part_s(), "{{part}}")], "s", "Seconds a step, on average over the ranks. "
              "Waiting for slower ranks is in exposed_communication.", stack=True, low=0, legend="right"),
        graph(12, "Images per second", [("run:effuse_train_images:rate5m{@}", "mean of 5 minutes"),
                                        (latest("effuse_train_images_per_second"), "last steps")], IMAGES_S,
              "Over all ranks. Previews, evaluations and saves pull the mean down, not the last steps.", low=0),
        graph(8, "Model FLOP/s", [(latest("effuse_train_model_flops_per_second"), "{{run}}")], "flops",
              "Over all ranks, from the operations that the network counts for its forward and backward passes.", low=0),
        graph(8, "Communication that is hidden", [(latest("effuse_train_communication_hidden_ratio"), "{{run}}")],
              "percentunit", "Share of the communication that passes under backward passes. Absent with one rank.", low=0,
              high=1),
        graph(8, "Memory of the hosts", [("sum by (run) (effuse_memory_resident_bytes{@})", "all ranks"),
                                         ("max by (run) (effuse_memory_resident_bytes{@})", "largest rank")], "bytes",
              "Resident memory of the processes. Rising on and on is a leak.", low=0),
    ]
    of_run = {"run": "Run", "model": "Model", "compute": "Compute", "backend": "Collectives", "device": "Device"}
    what = [table(14, "What runs", of_run, [
                column("Ranks", f"max by ({', '.join(of_run)}) (effuse_run_info{{@}}) * on (run) group_left "
                                "max by (run) (effuse_train_ranks{@})")],
                  "Model, type of computation, collectives and device of the run."),
            table(10, "Built as", {"version": "Version", "revision": "Revision", "libtorch": "libtorch", "compiler": "Compiler"},
                  [column("Processes", "count by (version, revision, libtorch, compiler) (effuse_build_info{@})")],
                  "Builds of the processes: more than one line is a mix of builds.")]
    far = table(24, "How far", {"run": "Run"}, [
        column("Step", latest("effuse_train_step")),
        column("Of steps", latest("effuse_train_step_target")),
        column("Images seen", latest("effuse_train_images_seen"), "short", decimals=1),
        column("Epoch", latest("effuse_train_epoch")),
        column("Of epochs", latest("effuse_train_epoch_target"), decimals=1),
        column("This attempt began", f"1000 * {latest('effuse_train_start_timestamp_seconds')}", "dateTimeAsIso"),
    ], "What is done, of what the run will have.")
    return dashboard("effuse-run", "Effuse: one run", "Whether a run learns, how fast, and where its time goes.",
                     [JOB, ONE_RUN], [STARTS, SAVES], [
        ("Now", 4, first + second), ("Learning", 8, learning), ("Speed", 8, speed), ("What it is", 6, [far, alerts(24), *what])])


def ranks():
    now = [
        stat(4, "Ranks that answer", f"run:up:sum{{@}} / {latest('effuse_train_exporters')}", "percentunit",
             "Of those that serve metrics.", steps(RED, (1, GREEN))),
        stat(4, "Ranks", latest("effuse_train_ranks"), "none", "Of the run."),
        stat(4, "Slowest rank", latest("effuse_train_slowest_rank"), "none", "Its number, as of the last comparison "
             "(parallel.straggler_every_steps). Absent with one rank.", trend=True),
        stat(4, "Its speed", "min by (job, run) (effuse_train_rank_speed_ratio{@})", "percentunit",
             "Of the median rank's: all ranks wait for it in every step.", SPEED, decimals=0, trend=True),
        stat(4, "Lost to communication",
             f'({mean_s("run", "exposed_communication")}) / ({mean_s("run", WORK + "|exposed_communication")})', "percentunit",
             "Share of the step, on average over the ranks: sending that no backward pass hid, and waiting for slower ranks.",
             WAITING, decimals=1),
        stat(4, "Communication hidden", latest("effuse_train_communication_hidden_ratio"), "percentunit",
             "Share of it that passes under backward passes.", decimals=0, trend=True),
    ]
    slow = [
        graph(12, "Speed", [('min by (of_rank) (effuse_train_rank_speed_ratio{@, of_rank=~"$rank"})', "rank {{of_rank}}")],
              "percentunit", "1 is the median rank, 0.5 half as fast. Below the dashed line it is a straggler.", low=0,
              colors=steps(RED, (0.75, GREEN)), legend="right"),
        graph(12, "A rank's own work", [(mean_s("rank", WORK, "@r"), "rank {{rank}}")], "s",
              "Seconds a step without communication: the highest line is the rank that all wait for.", low=0, legend="right"),
        graph(12, "Waiting for others", [(mean_s("rank", "exposed_communication", "@r"), "rank {{rank}}")], "s",
              "Seconds a step in communication that no backward pass hid. The slow rank's line is the lowest: it never waits.",
              low=0, legend="right"),
        graph(12, "Communication under the backward pass", [(mean_s("rank", "hidden_communication", "@r"), "rank {{rank}}")], "s",
              "Seconds a step that cost nothing.", low=0, legend="right"),
    ]
    parts = [graph(6, title, [(mean_s("rank", part, "@r"), "rank {{rank}}")], "s", f"Seconds a step. {meaning}", low=0)
             for title, part, meaning in (
        ("Forward pass", "forward", "One rank above the others: its GPU or cores are slow, hot, or shared."),
        ("Backward pass", "backward", "One rank above the others: its GPU or cores are slow, hot, or shared."),
        ("Waiting for data", "data_wait", "One rank above the others: its node reads slowly."),
        ("Update", "update", "Of weights, moments and average: bound by memory."))]
    more = [
        heatmap(12, "Backward passes of all ranks",
                'sum by (le) (increase(effuse_train_step_part_seconds_bucket{@r, part="backward"}[$__rate_interval]))', "s",
                "How many took how long: a second band is a second kind of node, or a straggler."),
        graph(12, "Memory of the host", [("max by (rank) (effuse_memory_resident_bytes{@r})", "rank {{rank}}")], "bytes",
              "Resident memory of each process.", low=0, legend="right"),
        graph(12, "Memory of the device",
              [("max by (rank) (effuse_memory_device_reserved_bytes{@r})", "rank {{rank}} reserved"),
               ("max by (rank) (effuse_memory_device_allocated_bytes{@r})", "rank {{rank}} in use")], "bytes",
              "Of GPUs; empty on CPUs. Far more reserved than in use is fragmentation.", low=0, legend="right"),
        bars(12, "Speed now", 'sort(min by (of_rank) (effuse_train_rank_speed_ratio{@, of_rank=~"$rank"}))', "rank {{of_rank}}",
             "percentunit", "The slowest first."),
    ]
    rows = table(24, "Ranks", {"rank": "Rank", "instance": "Address"}, [
        column("Answers", "max by (rank, instance) (up{@r})", texts={1: ("yes", GREEN), 0: ("no", RED)}),
        column("Own work", mean_s("rank, instance", WORK, "@r"), "s"),
        column("Waits for data", mean_s("rank, instance", "data_wait", "@r"), "s"),
        column("Forward", mean_s("rank, instance", "forward", "@r"), "s"),
        column("Backward", mean_s("rank, instance", "backward", "@r"), "s"),
        column("Waits for others", mean_s("rank, instance", "exposed_communication", "@r"), "s"),
        column("Memory", "max by (rank, instance) (effuse_memory_resident_bytes{@r})", "bytes"),
    ], "Each rank, with its node: seconds a step of what it does itself, and of waiting for the others.")
    return dashboard("effuse-ranks", "Effuse: ranks and stragglers", "Which rank holds the others up, and in what.",
                     [JOB, ONE_RUN, RANKS], [STARTS], [
        ("Now", 4, now), ("Who is slow", 8, slow), ("In what", 7, parts), ("Each rank", 8, [rows, *more])], hours=1)
