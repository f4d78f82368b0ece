// Cards with a chart of Chart.js each, drawn anew when colours, axis or smoothing change.

const chartCards = [];

/** In every line the point nearest to the pointer, by x: lines of several runs have their own. */
Chart.Interaction.modes.nearestOfEach = (chart, event) => {
  const found = [];
  for (const meta of chart.getSortedVisibleDatasetMetas()) {
    const dataset = chart.data.datasets[meta.index];
    if (dataset.isBand || meta.type !== "line") continue;
    let best = -1;
    let least = Infinity;
    meta.data.forEach((element, index) => {
      const distance = Math.abs(element.x - event.x);
      if (distance < least && !element.skip) [best, least] = [index, distance];
    });
    if (best >= 0 && least < 40) found.push({ element: meta.data[best], datasetIndex: meta.index, index: best });
  }
  return found;
};

/** Dashed lines where runs were started again, dotted ones where they went back, small triangles where steps were skipped. */
const marksPlugin = {
  id: "marks",
  afterDatasetsDraw(chart, _, options) {
    const { ctx, chartArea: area, scales } = chart;
    const inside = (x) => x >= area.left - 1 && x <= area.right + 1;
    ctx.save();
    for (const mark of options.restarts ?? []) {
      const x = scales.x.getPixelForValue(mark.x);
      if (!inside(x)) continue;
      ctx.strokeStyle = mark.color;
      ctx.lineWidth = 1.25;
      ctx.setLineDash(mark.isRestore ? [1.5, 2.5] : [5, 3]);
      ctx.beginPath();
      ctx.moveTo(x, area.top);
      ctx.lineTo(x, area.bottom);
      ctx.stroke();
    }
    for (const mark of options.bad ?? []) {
      const x = scales.x.getPixelForValue(mark.x);
      if (!inside(x)) continue;
      ctx.fillStyle = mark.color;
      ctx.beginPath();
      ctx.moveTo(x - 4, area.top);
      ctx.lineTo(x + 4, area.top);
      ctx.lineTo(x, area.top + 7);
      ctx.fill();
    }
    ctx.restore();
  },
};

/** A vertical line at what the tooltip tells of. */
const hairlinePlugin = {
  id: "hairline",
  afterDatasetsDraw(chart) {
    const active = chart.tooltip?.getActiveElements() ?? [];
    if (active.length === 0 || chart.config.type !== "line") return;
    const { ctx, chartArea: area } = chart;
    const x = active[0].element.x;
    ctx.save();
    ctx.strokeStyle = theme.faint(theme.color("soft"), 0.5);
    ctx.beginPath();
    ctx.moveTo(x, area.top);
    ctx.lineTo(x, area.bottom);
    ctx.stroke();
    ctx.restore();
  },
};
Chart.register(marksPlugin, hairlinePlugin);

/** Averages with the weights of a bell curve `level` (0 … 10) wide; gaps stay gaps. */
function smoothed(values, level) {
  if (level === 0) return values;
  const sigma = (level * level * values.length) / 2500;
  const reach = Math.min(values.length, Math.ceil(3 * sigma));
  if (reach < 1) return values;
  const weights = Array.from({ length: reach + 1 }, (_, k) => Math.exp((-k * k) / (2 * sigma * sigma)));
  return values.map((value, i) => {
    if (value === null) return null;
    let sum = 0;
    let weight = 0;
    for (let j = Math.max(0, i - reach); j <= Math.min(values.length - 1, i + reach); ++j) {
      if (values[j] === null) continue;
      sum += values[j] * weights[Math.abs(i - j)];
      weight += weights[Math.abs(i - j)];
    }
    return sum / weight;
  });
}

const points = (x, values) => x.map((at, i) => ({ x: at, y: values[i] ?? null })).filter((point) => point.x !== null);

function line(label, color, pointList, more = {}) {
  const isAlone = pointList.filter((point) => point.y !== null).length === 1;  // no line leads to it
  return {
    label, data: pointList, borderColor: color, backgroundColor: color, borderWidth: 1.75, pointRadius: isAlone && !more.isBand ? 3 : 0,
    pointHoverRadius: 3.5, tension: 0, spanGaps: true, clip: 6, ...more,
  };
}

function tooltipTitle(items) {
  if (items.length === 0) return "";
  const x = items[0].parsed.x;
  return axes.chosen === "hours" ? `after ${format.duration(3600 * x)}` : `${axes[axes.chosen].label} ${format.count(x)}`;
}

/** What a log scale spans: the numbers that are drawn, and a little more; powers of ten alone would leave half of it empty. */
function logBounds(datasets) {
  let least = Infinity;
  let greatest = 0;
  for (const { y } of datasets.flatMap((dataset) => dataset.data)) {
    if (y > 0) [least, greatest] = [Math.min(least, y), Math.max(greatest, y)];
  }
  return greatest > 0 ? { min: least / 1.2, max: greatest * 1.2 } : {};
}

function optionsOf(spec) {
  const soft = theme.color("soft");
  const value = spec.value ?? format.number;
  const scale = { grid: { color: theme.color("grid"), drawBorder: false, tickLength: 4 } };
  const ticks = { color: soft, font: { size: 11 }, maxRotation: 0 };
  return {
    responsive: true, maintainAspectRatio: false, animation: false, parsing: false, normalized: true, events: ["mousemove", "mouseout", "click", "touchstart", "touchmove"],
    interaction: { mode: "nearestOfEach", intersect: false },
    layout: { padding: { top: 4, right: 4 } },
    scales: {
      x: {
        ...scale, type: "linear", bounds: "data", min: 0, grid: { display: false },
        ticks: { ...ticks, autoSkipPadding: 24, callback: format.short }, afterBuildTicks: roomForTheLastTick,
        ...(spec.xScale ?? {}),
      },
      y: {
        ...scale, type: spec.isLog ? "logarithmic" : "linear", stacked: Boolean(spec.isStacked),
        beginAtZero: Boolean(spec.fromZero), suggestedMax: spec.suggestedMax, max: spec.greatest,
        ticks: { ...ticks, maxTicksLimit: 7, callback: (tick) => (spec.axisValue ?? format.short)(tick) },
        ...(spec.isLog ? { ...logBounds(spec.datasets), afterBuildTicks: fewLogTicks } : {}),
      },
    },
    plugins: {
      legend: { display: false },
      marks: spec.marks ?? {},
      tooltip: {
        backgroundColor: theme.color("card"), titleColor: theme.color("text"), bodyColor: theme.color("text"),
        footerColor: soft, borderColor: theme.color("edge"), borderWidth: 1, padding: 9, boxPadding: 4,
        usePointStyle: true, titleFont: { size: 12 }, bodyFont: { size: 12 }, footerFont: { size: 11, weight: "normal" },
        filter: (item) => !item.dataset.isSilent,
        callbacks: {
          title: spec.tooltipTitle ?? tooltipTitle,
          label: (item) => `${item.dataset.label}: ${value(item.parsed.y)}`,
          labelPointStyle: () => ({ pointStyle: "rectRounded", rotation: 0 }),
          footer: spec.tooltipFooter,
        },
      },
    },
  };
}

/** The end of an axis is a tick, too; it goes where it would stand on the one before. */
function roomForTheLastTick(scale) {
  const [first, second] = scale.ticks;
  const [before, last] = scale.ticks.slice(-2);
  if (scale.ticks.length > 2 && last.value - before.value < 0.75 * (second.value - first.value)) scale.ticks = scale.ticks.slice(0, -1);
}

/** Round numbers of each power of ten, as many as there is room for. */
function fewLogTicks(scale) {
  const leading = (value) => Number((value / 10 ** Math.floor(Math.log10(value) + 1e-9)).toPrecision(4));
  const decades = Math.log10(scale.max / scale.min);
  if (!(decades > 0.3)) return;
  const wanted = decades > 3 ? [1] : decades > 1.3 ? [1, 3] : [1, 2, 3, 5, 7];
  const few = scale.ticks.filter(({ value }) => value >= scale.min && value <= scale.max && wanted.includes(leading(value)));
  if (few.length >= 2) scale.ticks = few;
}

function legendOf(card, chart) {
  const items = chart.data.datasets.map((dataset, index) => ({ dataset, index })).filter(({ dataset }) => dataset.isListed);
  if (items.length < 2) return card.legend.replaceChildren();
  card.legend.replaceChildren(...items.map(({ dataset, index }) => {
    const partners = () => chart.data.datasets.map((other, i) => (other.group === dataset.group ? i : -1)).filter((i) => i >= 0);
    const toggle = (event) => {
      const on = !chart.isDatasetVisible(index);
      for (const i of partners()) chart.setDatasetVisibility(i, on);
      if (on) card.hiddenGroups.delete(dataset.group);
      else card.hiddenGroups.add(dataset.group);
      event.currentTarget.setAttribute("aria-pressed", on);
      chart.update();
    };
    return make("li", {}, make("button", { type: "button", "aria-pressed": String(!card.hiddenGroups.has(dataset.group)), onclick: toggle },
      make("i", { class: "dot", style: { background: dataset.borderColor } }), dataset.label));
  }));
}

function draw(card) {
  const spec = card.spec();
  card.chart?.destroy();
  const options = optionsOf(spec);
  spec.adjust?.(options);
  for (const dataset of spec.datasets) dataset.hidden = card.hiddenGroups.has(dataset.group);
  card.chart = new Chart(card.canvas, { type: spec.type ?? "line", data: { labels: spec.labels, datasets: spec.datasets }, options });
  card.canvas.setAttribute("aria-label", `${card.title}. ${spec.summary ?? ""}`.trim());
  card.note.textContent = spec.note ?? "";
  legendOf(card, card.chart);
}

function drawAll() {
  chartCards.forEach(draw);
}

/** Adds a card to `parent`. `spec()` gives what to draw now: {datasets, summary, note, isLog, …}. */
function addChart(parent, { title, unit, broad, spec }) {
  const canvas = make("canvas", { role: "img" });
  const card = { title, spec, canvas, hiddenGroups: new Set(), legend: make("ul", { class: "legend" }), note: make("p", { class: "note" }) };
  parent.append(make("article", { class: `card chart${broad ? " broad" : ""}` },
    make("h3", {}, title, unit ? make("span", { class: "unit" }, unit) : null),
    make("div", { class: "canvas" }, canvas), card.legend, card.note));
  chartCards.push(card);
}
