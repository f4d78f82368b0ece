// Previews over time: a slider over the steps of all runs, the picture of each run nearest before it.

function previewOf(run, step) {
  const shown = run.previews.shown;
  return shown.filter((preview) => preview.step <= step).pop() ?? shown[0];
}

/** Small pictures are shown twice as large, by whole pixels. */
function fit(image, picture) {
  const factor = Math.min(picture.width, picture.height) < 400 && picture.width < 500 ? 2 : 1;
  image.style.width = `${factor * picture.width}px`;
  image.classList.toggle("smooth", factor === 1);
  image.width = picture.width;
  image.height = picture.height;
}

function previewFigure(run) {
  const image = make("img");
  const caption = make("figcaption");
  const figure = make("figure", {}, image, caption);
  const set = (step) => {
    const preview = previewOf(run, step);
    if (!preview) return;
    image.src = preview.picture.src;
    image.alt = `Images that ${run.name} generated after ${format.plural(preview.step, "step")}`;
    fit(image, preview.picture);
    caption.replaceChildren(...(isComparison
      ? [make("span", { class: "name-cell" }, make("i", { class: "dot", style: { background: `var(--hue-${runs.indexOf(run) % 8})` } }), run.name), ` at step ${format.count(preview.step)}`]
      : []));
  };
  return { figure, set };
}

/** " (steps 4 and 8)" of a few. */
function namedSteps(steps) {
  if (steps.length > 5) return "";
  const names = steps.map(format.count);
  return names.length === 1 ? ` (step ${names[0]})` : ` (steps ${names.slice(0, -1).join(", ")} and ${lastOf(names)})`;
}

function noteOnPreviews(shown) {
  return shown.map((run) => {
    const { found, unreadable, shown: kept } = run.previews;
    const leftOut = found - kept.length - unreadable.length;
    const parts = [];
    if (leftOut > 0) parts.push(`${format.count(leftOut)} of ${format.plural(found, "preview")} ${leftOut === 1 ? "is" : "are"} left out to keep this file small${isComparison ? "" : `; all are in ${run.folder}/previews`}`);
    if (unreadable.length > 0) parts.push(`${format.count(unreadable.length)} cannot be read${namedSteps(unreadable)}`);
    if (kept.some((preview) => preview.picture.is_shrunk)) parts.push("pictures are shrunk");
    return parts.length > 0 ? `${isComparison ? `${run.name}: ` : ""}${parts.join("; ")}.` : "";
  }).filter(Boolean).join(" ");
}

function drawPreviews() {
  const shown = runs.filter((run) => run.previews.shown.length > 0);
  if (shown.length === 0) return;
  show("previews");
  const steps = [...new Set(shown.flatMap((run) => run.previews.shown.map((preview) => preview.step)))].sort((a, b) => a - b);
  const figures = shown.map(previewFigure);
  byId("preview-pictures").classList.toggle("several", isComparison);
  byId("preview-pictures").append(...figures.map(({ figure }) => figure));
  const slider = byId("preview-slider");
  const strip = byId("preview-strip");
  const thumbnails = isComparison ? [] : shown[0].previews.shown.map((preview, i) =>
    make("img", { src: preview.picture.src, alt: "", style: { width: `${Math.round((54 * preview.picture.width) / preview.picture.height)}px` }, title: `step ${format.count(preview.step)}`, onclick: () => { stop(); set(i); } }));
  strip.append(...thumbnails);
  strip.hidden = thumbnails.length < 2;
  slider.max = steps.length - 1;
  byId("preview-slider").closest(".scrub").hidden = steps.length < 2;

  const set = (index) => {
    slider.value = index;
    slider.setAttribute("aria-valuetext", `step ${format.count(steps[index])}`);
    byId("preview-step").textContent = `step ${format.count(steps[index])}`;
    for (const figure of figures) figure.set(steps[index]);
    thumbnails.forEach((thumbnail, i) => thumbnail.classList.toggle("current", i === index));
    const current = thumbnails[index];
    if (current) strip.scrollLeft = current.offsetLeft - strip.offsetLeft - (strip.clientWidth - current.clientWidth) / 2;
  };
  let timer = null;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    byId("preview-play").textContent = "Play";
  };
  byId("preview-play").addEventListener("click", () => {
    if (timer) return stop();
    if (Number(slider.value) === steps.length - 1) set(0);
    byId("preview-play").textContent = "Stop";
    timer = setInterval(() => {
      if (Number(slider.value) === steps.length - 1) stop();
      else set(Number(slider.value) + 1);
    }, 250);
  });
  slider.addEventListener("input", () => {
    stop();
    set(Number(slider.value));
  });
  set(steps.length - 1);
  byId("preview-note").textContent = noteOnPreviews(shown);
}
