// Several runs side by side: a table of where each came to, and of the settings in which they differ.

const NOT_COMPARED = ["run.name", "run.folder"];

function drawRuns() {
  show("runs");
  const metrics = Object.keys(SCORE_NAMES).filter((metric) => runs.some((run) => metricsOf(run).includes(metric)));
  const columns = [{ title: "Run" }, { title: "State" }, { title: "Steps", number: true }, { title: "Images", number: true }, { title: "Loss in the end", number: true },
    ...metrics.map((metric) => ({ title: `Best ${SCORE_NAMES[metric]}`, number: true })), { title: "Images/s", number: true }, { title: "Time", number: true }, { title: "Goodput", number: true }];
  fillTable(byId("runs-table"), columns, runs.map((run) => {
    const state = stateOf(run);
    const rate = rateOf(run);
    return [nameCell(run), make("span", { class: `badge ${state.kind}` }, state.text), format.count(stepOf(run)), format.count(imagesOf(run)), format.number(finalLoss(run)),
      ...metrics.map((metric) => format.number(bestScore(run, metric)?.scores[metric])), rate ? format.number(Number(rate.value.toPrecision(3))) : "–",
      run.goodput ? format.duration(run.goodput.total_s) : "–", run.goodput ? format.percent(run.goodput.goodput) : "–"];
  }));
}

/** Keys in which not all runs have the same value, in the order of the files. */
function differingKeys() {
  const keys = [...new Set(runs.flatMap((run) => Object.keys(run.config)))];
  return keys.filter((key) => !NOT_COMPARED.includes(key) && new Set(runs.map((run) => run.config[key])).size > 1);
}

function drawDifferences() {
  show("differences");
  const keys = differingKeys();
  byId("differences-note").textContent = keys.length === 0 ? "Their configurations are the same, but for names." : "";
  byId("differences-table").closest(".scroll").hidden = keys.length === 0;
  fillTable(byId("differences-table"), [{ title: "Setting" }, ...runs.map((run) => ({ title: nameCell(run) }))],
    keys.map((key) => [make("code", {}, key), ...runs.map((run) => make("code", {}, run.config[key] ?? "–"))]));
}

function comparisonSentence() {
  const best = (what, value, lower, unit = "") => {
    const valued = runs.filter((run) => value(run) !== null && value(run) !== undefined);
    if (valued.length < 2) return null;
    const winner = valued.reduce((a, b) => ((lower ? value(b) < value(a) : value(b) > value(a)) ? b : a));
    return `${winner.name} ${what}, ${format.number(value(winner))}${unit}`;
  };
  const metric = Object.keys(SCORE_NAMES).find((name) => runs.filter((run) => metricsOf(run).includes(name)).length > 1);
  const parts = [best("ends with the lowest loss", finalLoss, true),
    metric ? best(`has the best ${SCORE_NAMES[metric]}`, (run) => bestScore(run, metric)?.scores[metric] ?? null, LOWER_IS_BETTER[metric]) : null,
    best("is the fastest", (run) => (rateOf(run) ? Number(rateOf(run).value.toPrecision(3)) : null), false, " images/s")].filter(Boolean);
  return parts.length > 0 ? `${parts.join("; ")}.` : "";
}
