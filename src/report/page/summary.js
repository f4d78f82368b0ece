// How it went, at a glance: state, a sentence, key figures, what to look at.

const LOWER_IS_BETTER = { fid: true, kid: true };
const SCORE_NAMES = { fid: "FID", kid: "KID", is: "Inception Score", precision: "Precision", recall: "Recall", density: "Density", coverage: "Coverage" };

const configured = (run, key) => (run.config[key] ?? "").replace(/^"|"$/g, "");
const stepOf = (run) => Math.max(run.last.step, run.outcome?.step ?? 0);
const totalSteps = (run) => run.outcome?.total_steps || Number(configured(run, "run.steps")) ||
  Math.ceil((Number(configured(run, "run.images")) || 0) / (Number(configured(run, "run.batch_size")) || 1));
const quiet = (run) => Math.max(0, data.made_unix_s - run.last_sign_unix_s);

/** "running" only where the lock on the run says so: a job that was killed leaves all else as it was. */
function stateOf(run) {
  const outcome = run.outcome?.outcome ?? "";
  if (run.job === "alive" && (outcome === "running" || outcome === "")) return { text: "running", kind: "running" };
  switch (outcome) {
    case "done": return { text: "finished", kind: "good" };
    case "stopped": return { text: "stopped, can go on", kind: "warn" };
    case "running": return run.job === "gone" ? { text: "killed or crashed", kind: "bad" } : { text: `last seen ${format.duration(quiet(run))} ago`, kind: "warn" };
    case "": return { text: "no outcome yet", kind: "warn" };
    default: return { text: outcome, kind: "bad" };
  }
}

/** The best value of a score with its step, or null. */
function bestScore(run, metric) {
  const scored = run.evaluations.filter((evaluation) => metric in evaluation.scores);
  const better = (a, b) => (LOWER_IS_BETTER[metric] ? a.scores[metric] < b.scores[metric] : a.scores[metric] > b.scores[metric]);
  return scored.reduce((best, evaluation) => (best === null || better(evaluation, best) ? evaluation : best), null);
}

const metricsOf = (run) => Object.keys(SCORE_NAMES).filter((metric) => run.evaluations.some((evaluation) => metric in evaluation.scores));
const finalLoss = (run) => ending(run.curves.series.loss?.mean ?? []);

/** {value, note}: as logged, or from the account of time for a log without. */
function rateOf(run) {
  const logged = ending(run.curves.series.images_per_s?.mean ?? []);
  if (logged !== null) return { value: logged, note: "in the end, over all ranks" };
  const batch = Number(configured(run, "run.batch_size"));
  if (run.goodput && run.goodput.productive_s > 0 && batch > 0) {
    const kept = run.goodput.kept.reduce((steps, stretch) => steps + stretch.up_to - stretch.after, 0);
    const busy_s = run.goodput.productive_s + (run.goodput.lost_s.communication ?? 0) + (run.goodput.lost_s.data_wait ?? 0);
    return { value: (kept * batch) / busy_s, note: "on average while it trained" };
  }
  return null;
}

/** Seconds to the last step at the pace of the whole run; null where it does not run, or there is nothing to say. */
function timeLeft(run) {
  const left = totalSteps(run) - stepOf(run);
  if (!run.goodput || left <= 0 || stepOf(run) === 0 || stateOf(run).kind !== "running") return null;
  return (left * run.goodput.total_s) / stepOf(run);
}

function sentenceOf(run) {
  const step = stepOf(run);
  const total = totalSteps(run);
  const state = stateOf(run);
  const took = run.goodput ? ` in ${format.duration(run.goodput.total_s)}` : "";
  const loss = finalLoss(run);
  const words = [];
  if (state.kind === "good") words.push(`${step === 1 ? "Its one step" : `All ${format.count(step)} steps`} done${took}`);
  else words.push(`${total ? `${format.count(step)} of ${format.plural(total, "step")}` : format.plural(step, "step")} done${took}`);
  if (loss !== null) words.push(`loss ${format.number(loss)}`);
  const metric = metricsOf(run)[0];
  if (metric) {
    const best = bestScore(run, metric);
    words.push(`best ${SCORE_NAMES[metric]} ${format.number(best.scores[metric])} at step ${format.count(best.step)}`);
  }
  if (run.goodput) words.push(`goodput ${format.percent(run.goodput.goodput)}`);
  return `${words.join(", ")}.${endingOf(run, state)}`;
}

/** What became of the job, as far as the run's folder and its lock tell. */
function endingOf(run, state) {
  const seen = `${format.duration(quiet(run))} before this report`;
  if (state.kind === "running") return ` Last sign of life ${seen}, of ${format.moment(data.made_unix_s)}.`;
  if (run.outcome?.outcome === "running") {
    return run.job === "gone" ? ` Its process is gone, and never said how it ended. Last sign of life ${seen}. The same command goes on.`
      : ` Last sign of life ${seen}. Whether it still runs cannot be told from here: it ran on another machine, or this is a copy of its folder.`;
  }
  const reason = state.kind === "good" ? "" : run.outcome?.reason ?? "";
  return reason && ` ${reason[0].toUpperCase()}${reason.slice(1)}${reason.endsWith(".") ? "" : "."}`;
}

function figure(label, value, unit, detail, share = null) {
  return make("div", { class: "figure" }, make("div", { class: "label" }, label),
    make("div", { class: "value" }, make("span", {}, value), unit ? " " : null, unit ? make("span", { class: "unit" }, unit) : null),
    share === null ? null : make("div", { class: "bar", "aria-hidden": "true" }, make("i", { style: { width: `${100 * Math.min(1, share)}%` } })),
    detail ? make("div", { class: "detail" }, detail) : null);
}

/** Every step sees a batch; the last line of the log, where it is of that step, says it itself. */
function imagesOf(run) {
  const batch = Number(configured(run, "run.batch_size")) || 0;
  return run.last.images > 0 && run.last.step === stepOf(run) ? run.last.images : Math.max(run.last.images, batch * stepOf(run));
}

function imagesSeen(run) {
  const images = imagesOf(run);
  return images > 0 || stepOf(run) === 0 ? `${format.plural(images, "image")} seen` : "";
}

function lossDetail(run) {
  const values = present(run.curves.series.loss?.mean ?? []);
  if (values.length < 2) return "";
  return `from ${format.number(values[0])}${isMeanOfSeveral(values) ? "; mean of the last 5 %" : ""}`;
}

function keyFigures(run) {
  const step = stepOf(run);
  const total = totalSteps(run);
  const figures = [figure("Steps", format.count(step), total ? `of ${format.count(total)}` : "", imagesSeen(run), total ? step / total : null)];
  const loss = finalLoss(run);
  if (loss !== null) figures.push(figure("Loss", format.number(loss), "", lossDetail(run)));
  for (const metric of metricsOf(run).slice(0, 2)) {
    const best = bestScore(run, metric);
    const last = lastOf(run.evaluations.filter((evaluation) => metric in evaluation.scores));
    figures.push(figure(`Best ${SCORE_NAMES[metric]}`, format.number(best.scores[metric]), "", `step ${format.count(best.step)}${best === last ? ", the last" : `; last ${format.number(last.scores[metric])}`}`));
  }
  const rate = rateOf(run);
  if (rate) figures.push(figure("Rate", format.number(Number(rate.value.toPrecision(3))), "images/s", rate.note));
  if (run.goodput) {
    const left = timeLeft(run);
    const attempts = format.plural(run.goodput.attempts, "attempt");
    figures.push(figure("Time", format.duration(run.goodput.total_s), "", left === null ? attempts : `${attempts}; some ${format.duration(left)} left`));
    figures.push(figure("Goodput", format.percent(run.goodput.goodput), "", mostLost(run), run.goodput.goodput));
  }
  return figures;
}

function mostLost(run) {
  const [reason, seconds] = Object.entries(run.goodput.lost_s).reduce((most, entry) => (entry[1] > most[1] ? entry : most), ["", 0]);
  return seconds > 0 ? `most lost: ${LOST_NAMES[reason] ?? reason}, ${format.percent(seconds / run.goodput.total_s)}` : "";
}

function problemsOf(run) {
  const prefix = isComparison ? `${run.name}: ` : "";
  return run.problems.map((problem) => prefix + problem);
}

function drawHead() {
  const problems = runs.flatMap(problemsOf);
  byId("problems").hidden = problems.length === 0;
  byId("problems").append(...problems.map((problem) => make("li", {}, problem)));
  if (isComparison) {
    byId("name").textContent = `Comparison of ${runs.length} runs`;
    byId("state").hidden = true;
    byId("sentence").textContent = comparisonSentence();
    return;
  }
  const state = stateOf(runs[0]);
  byId("name").textContent = runs[0].name;
  byId("state").textContent = state.text;
  byId("state").classList.add(state.kind);
  byId("sentence").textContent = sentenceOf(runs[0]);
  if (runs[0].next_command) show("next").append(make("code", {}, runs[0].next_command));
  show("figures").append(...keyFigures(runs[0]));
}

function drawFoot() {
  byId("foot").textContent = `Written ${format.moment(data.made_unix_s)} by Effuse ${data.effuse}` +
    `${data.revision ? ` (${data.revision})` : ""} from ${runs.map((run) => run.folder).join(", ")}. Charts: Chart.js ${Chart.version}, MIT licence.`;
}
