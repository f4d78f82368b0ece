// The curves of training: which there are, and how each is drawn.

const view = { smoothing: 5, isLogLoss: false };

const seriesOf = (run, name) => run.curves.series[name] ?? null;
const present = (values) => values.filter((value) => value !== null);
const runsWith = (name) => runs.filter((run) => seriesOf(run, name));
const colorOf = (run) => (isComparison ? theme.hue(runs.indexOf(run)) : theme.color("accent"));
const tenthName = (run, tenth) => {
  const steps = Number(run.config["diffusion.timesteps"] ?? 1000);
  return `${Math.floor((tenth * steps) / 10)}–${Math.floor(((tenth + 1) * steps) / 10) - 1}`;
};

const twentieth = (values) => Math.max(1, Math.round(values.length / 20));
const isMeanOfSeveral = (values) => twentieth(values) > 1;

/** The mean of the last twentieth: what a curve comes to. */
function ending(values) {
  const there = present(values);
  const last = there.slice(-twentieth(there));
  return last.length === 0 ? null : last.reduce((sum, value) => sum + value, 0) / last.length;
}

function marksOf(shown) {
  const restarts = shown.flatMap((run) => run.restarts.map((restart) =>
    ({ x: axes.at(run, restart.after_step), isRestore: restart.by === "restore", color: isComparison ? theme.faint(colorOf(run), 0.7) : theme.color(restart.by === "restore" ? "bad" : "mark") })));
  const steps = (run) => [...new Set([...run.bad_steps.logged, ...run.bad_steps.described.map((bad) => bad.step)])];
  const bad = shown.flatMap((run) => steps(run).map((step) =>
    ({ x: axes.at(run, step), color: isComparison ? colorOf(run) : theme.color("bad") })));
  return { restarts, bad };
}

/** What "from a to b" a chart shows, for those who do not see it. */
function summaryOf(shown, name) {
  return shown.map((run) => {
    const values = present(seriesOf(run, name).mean);
    const whose = isComparison ? `${run.name}: ` : "";
    if (values.length === 1) return `${whose}${format.number(values[0])}, the only one logged`;
    return `${whose}${format.number(values[0])} at the beginning, ${format.number(ending(values))} at the end, ` +
      `between ${format.number(Math.min(...values))} and ${format.number(Math.max(...values))}`;
  }).join("; ");
}

/** One series: what was measured as a thin line, in a long log between the extremes, and smoothed. */
function seriesSets(run, name, isSmoothed) {
  const x = axes.all(run);
  const color = colorOf(run);
  const { mean, least, greatest } = seriesOf(run, name);
  const label = isComparison ? run.name : "value";
  const group = run.name;
  const sets = [];
  if (least && !isComparison) {
    const edge = { borderWidth: 0, isBand: true, isSilent: true, group, pointHoverRadius: 0 };
    sets.push(line("least", color, points(x, least), edge),
      line("greatest", color, points(x, greatest), { ...edge, fill: "-1", backgroundColor: theme.faint(color, 0.16) }));
  }
  const isSoft = isSmoothed && view.smoothing > 0 && mean.length > 8;
  if (isSoft) {
    sets.push(line(label, theme.faint(color, isComparison ? 0.22 : 0.38), points(x, mean), { borderWidth: 1, isSilent: isComparison, group }));
  }
  sets.push(line(isSoft && !isComparison ? "smoothed" : label, color, points(x, isSoft ? smoothed(mean, view.smoothing) : mean), { group, isListed: isComparison }));
  return sets;
}

function seriesChart(parent, { title, unit, name, broad, value, isSmoothed = true, isLog = () => false, more = {} }) {
  const shown = runsWith(name);
  if (shown.length === 0) return;
  addChart(parent, {
    title, unit, broad,
    spec: () => ({
      datasets: shown.flatMap((run) => seriesSets(run, name, isSmoothed)), isLog: isLog(), value,
      marks: marksOf(shown), summary: summaryOf(shown, name), ...more,
    }),
  });
}

/** Far above all others, as at a spike or in a first step, is outside of the chart rather than all of it. */
function withoutOutliers(values) {
  const sorted = present(values).sort((a, b) => a - b);
  const high = sorted[Math.floor(0.98 * (sorted.length - 1))];
  return lastOf(sorted) > 3 * high ? 2 * high : undefined;
}

function tenthsChart(parent) {
  const shown = runs.filter((run) => run.curves.timestep_loss.some((column) => column));
  if (shown.length === 0) return;
  if (isComparison) return tenthsOfRuns(parent, shown);
  const run = shown[0];
  addChart(parent, {
    title: "Loss by time step", unit: "of the diffusion: from little noise to nothing but noise", broad: true,
    spec: () => ({
      datasets: run.curves.timestep_loss.flatMap((column, tenth) => (column ? [line(tenthName(run, tenth), theme.tenth(tenth),
        points(axes.all(run), smoothed(column, Math.max(view.smoothing, 1))), { borderWidth: 1.5, group: tenth, isListed: true })] : [])),
      isLog: view.isLogLoss, marks: marksOf([run]),
      summary: `At the end ${run.curves.timestep_loss.map((column, tenth) => (column ? `${format.number(ending(column))} for ${tenthName(run, tenth)}` : null)).filter(Boolean).join(", ")}.`,
    }),
  });
}

/** Of several runs: where each came to, over the time steps. */
function tenthsOfRuns(parent, shown) {
  addChart(parent, {
    title: "Loss by time step", unit: "at the end, over tenths of the diffusion",
    spec: () => ({
      datasets: shown.map((run) => line(run.name, colorOf(run),
        run.curves.timestep_loss.map((column, tenth) => ({ x: tenth, y: column ? ending(column) : null })),
        { group: run.name, isListed: true, pointRadius: 3 })),
      isLog: view.isLogLoss,
      xScale: { min: 0, max: 9, ticks: { color: theme.color("soft"), font: { size: 11 }, stepSize: 1, maxRotation: 0, autoSkipPadding: 10, callback: (tenth) => tenthName(shown[0], tenth) } },
      tooltipTitle: (items) => (items.length > 0 ? `time steps ${tenthName(shown[0], items[0].parsed.x)}` : ""),
    }),
  });
}

const PARTS = [
  ["data_wait_s", "waiting for data", 6], ["upload_s", "upload", 5], ["forward_s", "forward", 0], ["backward_s", "backward", 4],
  ["exposed_communication_s", "communication not hidden", 1], ["update_s", "update", 2],
];

/** Share of the communication that passed under the backward pass; null with one rank, or in an old log. */
function hiddenShare(run) {
  const total = (name) => present(seriesOf(run, name)?.mean ?? []).reduce((sum, value) => sum + value, 0);
  const all = total("communication_s");
  return all > 0 ? Math.max(0, 1 - total("exposed_communication_s") / all) : null;
}

function partsChart(parent) {
  const shown = runs.filter((run) => PARTS.some(([name]) => seriesOf(run, name)));
  if (shown.length === 0) return;
  if (isComparison) return partsOfRuns(parent, shown);
  const run = shown[0];
  const parts = PARTS.filter(([name]) => seriesOf(run, name));
  const sums = run.curves.last_step.map((_, i) => parts.reduce((sum, [name]) => sum + (seriesOf(run, name).mean[i] ?? 0), 0));
  const hidden = hiddenShare(run);
  addChart(parent, {
    title: "Parts of a step", unit: "at rank 0",
    spec: () => ({
      datasets: parts.map(([name, label, hue], i) => line(label, theme.hue(hue),
        points(axes.all(run), smoothed(seriesOf(run, name).mean, Math.min(view.smoothing, 3))),
        { fill: i === 0 ? "origin" : "-1", backgroundColor: theme.faint(theme.hue(hue), 0.55), borderWidth: 1, group: name, isListed: true })),
      isStacked: true, fromZero: true, value: format.duration, axisValue: format.duration, greatest: withoutOutliers(sums), marks: marksOf([run]),
      summary: parts.map(([name, label]) => `${label} ${format.duration(ending(seriesOf(run, name).mean))}`).join(", "),
      note: hidden === null ? "" : `${format.percent(hidden)} of the communication was hidden under the backward pass.`,
    }),
  });
}

/** Of several runs: a bar each. */
function partsOfRuns(parent, shown) {
  addChart(parent, {
    title: "Parts of a step", unit: "at rank 0, on average",
    spec: () => ({
      type: "bar", labels: shown.map((run) => run.name),
      datasets: PARTS.map(([name, label, hue]) => {
        const average = (run) => {
          const values = present(seriesOf(run, name)?.mean ?? []);
          return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
        };
        return { label, group: name, isListed: true, data: shown.map(average), borderColor: theme.hue(hue), backgroundColor: theme.faint(theme.hue(hue), 0.75), maxBarThickness: 34 };
      }).filter((set) => set.data.some((value) => value > 0)),
      isStacked: true, value: format.duration,
      adjust(options) {
        Object.assign(options, { parsing: undefined, normalized: undefined, indexAxis: "y", interaction: { mode: "nearest", intersect: true } });
        const { x, y } = options.scales;
        options.scales = {
          x: { stacked: true, grid: y.grid, ticks: { ...y.ticks, callback: format.duration }, beginAtZero: true },
          y: { type: "category", stacked: true, grid: { display: false }, ticks: { color: x.ticks.color } },
        };
        options.plugins.tooltip.callbacks.title = (items) => items[0]?.label ?? "";
        options.plugins.tooltip.callbacks.label = (item) => `${item.dataset.label}: ${format.duration(item.parsed.x)}`;
      },
      summary: shown.map((run) => run.name).join(", "),
    }),
  });
}

function nothingToDraw() {
  if (runs.some((run) => run.curves.lines > 0)) return "There is nothing to draw: the lines of the log that can be read have no numbers.";
  return runs.some((run) => stepOf(run) > 0) ? "There is nothing to draw: metrics/train.jsonl is not there, or has no line that can be read." : "No step has been logged yet.";
}

function drawCurves() {
  const parent = byId("charts");
  seriesChart(parent, { title: "Loss", name: "loss", broad: true, isLog: () => view.isLogLoss });
  tenthsChart(parent);
  seriesChart(parent, { title: "Gradient norm", unit: "before clipping", name: "grad_norm", isLog: () => true });
  seriesChart(parent, { title: "Learning rate", name: "lr", isSmoothed: false, more: { fromZero: true } });
  seriesChart(parent, { title: "Images per second", unit: "over all ranks", name: "images_per_s", more: { fromZero: true } });
  partsChart(parent);
  const changes = (name) => runs.some((run) => new Set(present(seriesOf(run, name)?.mean ?? [])).size > 1);
  if (changes("loss_scale")) seriesChart(parent, { title: "Loss scale", unit: "of fp16", name: "loss_scale", isSmoothed: false, isLog: () => true });
  if (changes("ema_decay")) seriesChart(parent, { title: "Decay of the average", name: "ema_decay", isSmoothed: false });
  const halves = parent.querySelectorAll(".chart:not(.broad)");
  if (halves.length % 2 === 1) lastOf(halves).classList.add("broad");
  if (parent.children.length === 0) {
    parent.append(make("p", { class: "card note" }, nothingToDraw()));
    byId("curve-controls").hidden = true;
  }
}

/** Log where the loss spans more than a factor of eight. */
function lossSpans() {
  const values = runsWith("loss").flatMap((run) => present(smoothed(seriesOf(run, "loss").mean, 3)));
  return values.length > 0 && Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) > 8;
}

function setUpControls() {
  view.isLogLoss = lossSpans();
  byId("log-loss").checked = view.isLogLoss;
  byId("log-loss").addEventListener("change", (event) => {
    view.isLogLoss = event.target.checked;
    drawAll();
  });
  byId("smoothing").addEventListener("input", (event) => {
    view.smoothing = Number(event.target.value);
    drawAll();
  });
  byId("axis").append(...axes.available().map((name) => make("option", { value: name }, axes[name].title)));
  byId("axis").addEventListener("change", (event) => {
    axes.chosen = event.target.value;
    drawAll();
  });
}
