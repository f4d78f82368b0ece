// Scores, time, attempts, checkpoints, skipped steps, machine, samples and configuration.

const LOST_NAMES = {
  startup: "start-up", data_wait: "waiting for data", communication: "communication", checkpoint: "checkpoints", preview: "previews",
  evaluation: "evaluations", bad_steps: "skipped steps", redone: "redone steps", other: "other", down: "down",
};
const LOST_HUES = { startup: 5, data_wait: 6, communication: 1, checkpoint: 3, preview: 4, evaluation: 2, bad_steps: 7, redone: 8, other: 9, down: 10 };
const BEGUN_BY = { attempt: "restart", restore: "return", unknown: "restart or return" };
const SCORE_NOTES = { fid: "lower is better", kid: "lower is better" };

function nameCell(run) {
  return make("span", { class: "name-cell" }, make("i", { class: "dot", style: { background: `var(--hue-${runs.indexOf(run) % 8})` } }), run.name);
}

function drawEvaluation() {
  const metrics = Object.keys(SCORE_NAMES).filter((metric) => runs.some((run) => metricsOf(run).includes(metric)));
  if (metrics.length === 0) return;
  show("evaluation");
  for (const metric of metrics) {
    const shown = runs.filter((run) => metricsOf(run).includes(metric));
    addChart(byId("score-charts"), {
      title: SCORE_NAMES[metric], unit: SCORE_NOTES[metric] ?? "higher is better",
      spec: () => ({
        datasets: shown.map((run) => line(isComparison ? run.name : SCORE_NAMES[metric], colorOf(run),
          run.evaluations.filter((evaluation) => metric in evaluation.scores).map((evaluation) => ({ x: axes.at(run, evaluation.step), y: evaluation.scores[metric] })),
          { pointRadius: 3, group: run.name, isListed: isComparison })),
        marks: isComparison ? {} : { restarts: marksOf(shown).restarts },
        summary: shown.map((run) => { const best = bestScore(run, metric); return `${run.name}: best ${format.number(best.scores[metric])} at step ${best.step}`; }).join("; "),
      }),
    });
  }
  const columns = [...(isComparison ? [{ title: "Run" }] : []), { title: "Step", number: true }, ...metrics.map((metric) => ({ title: SCORE_NAMES[metric], number: true })), { title: "Images", number: true }, { title: "Took", number: true }];
  fillTable(byId("scores-table"), columns, runs.flatMap((run) => run.evaluations.map((evaluation) => [
    ...(isComparison ? [nameCell(run)] : []), format.count(evaluation.step), ...metrics.map((metric) => format.number(evaluation.scores[metric])),
    format.count(evaluation.images), format.duration(evaluation.seconds)])));
}

function timesOf(run) {
  const total = run.goodput.total_s || 1;
  const lost = Object.entries(run.goodput.lost_s).filter(([, seconds]) => seconds >= 1 || seconds / total > 0.0005).sort((a, b) => b[1] - a[1]);
  const parts = [{ name: "progress kept", seconds: run.goodput.productive_s, color: "var(--accent)" },
    ...lost.map(([reason, seconds]) => ({ name: LOST_NAMES[reason] ?? reason, seconds, color: `var(--hue-${LOST_HUES[reason] ?? 0})` }))];
  return make("div", { class: "time-run" }, isComparison ? make("h3", {}, nameCell(run)) : null,
    make("div", { class: "stack", role: "img", "aria-label": parts.map((part) => `${part.name} ${format.percent(part.seconds / total)}`).join(", ") },
      ...parts.filter((part) => part.seconds / total > 0.0005).map((part) => make("i", { style: { flex: `${part.seconds} 0 0`, background: part.color }, title: `${part.name}: ${format.duration(part.seconds)}` }))),
    make("ul", { class: "times" }, ...parts.map((part) => make("li", {}, make("i", { class: "dot", style: { background: part.color } }), make("span", { class: "name" }, part.name),
      format.duration(part.seconds), make("span", { class: "share" }, format.percent(part.seconds / total))))));
}

function drawTime() {
  const shown = runs.filter((run) => run.goodput && run.goodput.total_s > 0);
  if (shown.length === 0) return;
  show("time");
  byId("time-card").append(...shown.map(timesOf));
}

function drawAttempts(run) {
  const kept = (run.goodput?.kept ?? []).filter((stretch) => stretch.up_to > stretch.after);
  if (kept.length === 0) return;
  show("attempts");
  const begin = (stretch, i) => (i === 0 ? null : run.restarts.find((mark) => mark.after_step === stretch.after) ?? null);
  const pause = (restart) => (!restart || restart.by === "restore" || restart.before_s === null || restart.after_s === null
    ? "–" : format.duration(restart.after_s - restart.before_s));
  fillTable(byId("attempts-table"), [{ title: "Steps" }, { title: "Begun by" }, { title: "Training", number: true }, { title: "Pause before", number: true }],
    kept.map((stretch, i) => {
      const restart = begin(stretch, i);
      return [`${format.count(stretch.after + 1)} – ${format.count(stretch.up_to)}`, restart ? BEGUN_BY[restart.by] : "start", format.duration(stretch.productive_s), pause(restart)];
    }));
  const notes = [format.plural(run.goodput.attempts, "attempt") + " began to train"];
  if (run.goodput.redone_steps > 0) notes.push(`${format.plural(run.goodput.redone_steps, "step")} had to be made again`);
  if (run.outcome?.slurm_job) notes.push(`the last one as Slurm job ${run.outcome.slurm_job}`);
  const explained = (by, text) => (run.restarts.some((restart) => restart.by === by) ? text : "");
  byId("attempts-note").textContent = `${notes.join("; ")}.` +
    explained("restore", " A return is no new attempt: the same job went back to a checkpoint, after too many skipped steps in a row.") +
    explained("unknown", " Whether the job was started again or went back to a checkpoint is not told by goodput.json, which an earlier release wrote.") +
    explained("attempt", " A pause is from the last line of the log before it to the first one after.");
}

function drawCheckpoints(run) {
  if (run.checkpoints.length === 0) return;
  show("checkpoints");
  const keepEvery = Number(configured(run, "checkpoint.keep_every_steps")) || 0;
  const marks = (checkpoint) => [checkpoint.is_latest ? "latest" : "", checkpoint.is_best ? "best" : "",
    keepEvery > 0 && checkpoint.step % keepEvery === 0 ? "kept for ever" : ""].filter(Boolean).join(", ");
  const beside = (text, more, kind) => make("span", {}, more ? `${text}, ` : text, more ? make("span", { class: kind }, more) : null);
  fillTable(byId("checkpoints-table"), [{ title: "Step" }, { title: "Size", number: true }, { title: "Written, UTC" }],
    [...run.checkpoints].reverse().map((checkpoint) => [beside(format.count(checkpoint.step), marks(checkpoint), "soft"), format.bytes(checkpoint.size_bytes),
      beside(format.moment(checkpoint.written_unix_s).replace(" UTC", ""), `${format.duration(Math.max(0, data.made_unix_s - checkpoint.written_unix_s))} old`, "soft whole")]));
}

function drawBadSteps(run) {
  const count = Math.max(run.bad_steps.count, run.bad_steps.logged_count, run.goodput?.bad_steps ?? 0);
  if (count === 0) return;
  show("bad-steps");
  const text = (value) => (Number.isFinite(Number(value)) ? format.number(Number(value)) : value);
  fillTable(byId("bad-steps-table"), [{ title: "Step", number: true }, { title: "Loss", number: true }, { title: "Gradient norm", number: true }],
    run.bad_steps.described.map((bad) => [format.count(bad.step), text(bad.loss), text(bad.grad_norm)]));
  const listed = run.bad_steps.described.length;
  byId("bad-steps-table").closest(".scroll").hidden = listed === 0;
  const files = run.bad_steps.count;
  const notes = [`${format.plural(count, "step")} changed nothing: not finite, or a spike`];
  if (files > 0 && files < count) notes.push("of one that was bad in several tries the last is listed");
  if (listed < files) notes.push(`the first ${format.count(listed)} are listed`);
  byId("bad-steps-note").textContent = `${notes.join("; ")}.` + (listed === 0 ? "" : ` ${count === 1 ? "Its" : "Their"} images are named in bad_steps/.`);
}

/** The settings that say most, from which the rest may be guessed. */
function drawSetup(run) {
  const of = (key) => configured(run, key);
  const join = (...parts) => parts.filter(Boolean).join(", ");
  const size = Number(of("model.sample_size"));
  const entries = [
    ["Data", of("data.folder")],
    ["Model", join(of("model.name"), of("model.block_out_channels") ? `channels ${of("model.block_out_channels").replace(/[[\] ]/g, "").replaceAll(",", " · ")}` : "", size > 0 ? `${size} × ${size} pixels` : "")],
    ["Diffusion", join(of("diffusion.timesteps") ? format.plural(Number(of("diffusion.timesteps")), "step") : "", of("diffusion.schedule"), of("diffusion.prediction"))],
    ["Batch", join(of("run.batch_size") ? `${format.plural(Number(of("run.batch_size")), "image")} over all ranks` : "", of("run.seed") ? `seed ${of("run.seed")}` : "")],
    ["Optimiser", join(of("optimizer.name"), of("optimizer.lr") ? `lr ${of("optimizer.lr")}` : "", of("optimizer.lr_schedule"))],
    ["Average", of("ema.decay") ? `decay ${of("ema.decay")}` : ""],
    ["Precision", join(of("precision.compute"), of("precision.weights") ? `weights ${of("precision.weights")}` : "")],
  ].filter(([, text]) => text);
  if (entries.length === 0) return;
  show("setup");
  byId("setup-list").append(...entries.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));
}

function drawMachine(run) {
  const environment = run.environment;
  if (!environment) return;
  show("machine");
  const places = new Map();
  for (const rank of environment.ranks) {
    const place = `${rank.name || rank.device} on ${rank.host}`;
    places.set(place, (places.get(place) ?? 0) + 1);
  }
  const entries = [
    ["Ranks", `${format.count(environment.world_size)} × ${format.plural(environment.threads_per_rank, "thread")}, ${environment.backend}`],
    ["Where", [...places].slice(0, 8).map(([place, ranks]) => `${ranks} × ${place}`).join("; ") + (places.size > 8 ? `; ${places.size - 8} more` : "")],
    ["Effuse", `${environment.effuse}${environment.revision ? ` (${environment.revision})` : ""}`],
    ["libtorch", environment.libtorch], ["Compiler", environment.compiler],
    ["Last attempt began", environment.began.replace("T", " ").replace(/:\d\dZ$/, " UTC")],
  ];
  byId("machine-list").append(...entries.filter(([, text]) => text).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));
}

function sampleCard(run, set) {
  const settings = Object.entries(set.settings).filter(([, value]) => value !== "").map(([key, value]) => `${key} ${value}`).join(", ");
  const scores = Object.entries(set.scores).map(([metric, value]) => `${SCORE_NAMES[metric]} ${format.number(value)}`).join(", ");
  return make("article", { class: "card" },
    make("h3", {}, `${format.plural(set.number, "image")} of step ${format.count(set.weights_step)}${set.weights_kind === "ema" ? ", averaged weights" : ""}`),
    make("p", { class: "note" }, [isComparison ? run.name : "", scores, settings, set.complete ? "" : "not complete"].filter(Boolean).join("; ")),
    set.grid ? make("img", { src: set.grid.src, width: set.grid.width, height: set.grid.height, loading: "lazy", alt: `The first of the images in ${set.folder}` }) : null,
    make("p", { class: "note place" }, make("code", {}, set.folder)));
}

function drawSamples() {
  const cards = runs.flatMap((run) => run.samples.map((set) => sampleCard(run, set)));
  if (cards.length === 0) return;
  show("samples");
  byId("samples-list").append(...cards);
}

function configurationText(text) {
  return make("pre", {}, ...text.split("\n").map((row) => {
    const kind = row.startsWith("#") ? "comment" : row.startsWith("[") ? "section" : null;
    return make("span", { class: kind }, `${row}\n`);
  }));
}

function drawConfiguration() {
  const shown = runs.filter((run) => run.config_text);
  if (shown.length === 0) return;
  show("configuration");
  byId("configuration-list").append(...shown.map((run) => make("details", {},
    make("summary", {}, isComparison ? `config.toml of ${run.name}` : "config.toml, as the last attempt resolved it"), configurationText(run.config_text))));
}
