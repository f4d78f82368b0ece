// What curves are drawn over: steps, images or hours.

const axes = {
  step: { title: "steps", label: "step", of: (curves, i) => (curves.first_step[i] + curves.last_step[i]) / 2 },
  images: { title: "images", label: "images", of: (curves, i) => curves.images[i] },
  hours: {
    title: "hours",
    label: "hours",
    of: (curves, i) => (curves.time_s[i] === null ? null : (curves.time_s[i] - axes.begin(curves)) / 3600),
  },
  chosen: "step",

  begin: (curves) => curves.time_s.find((time) => time !== null) ?? 0,

  /** The x of every stretch of a run. */
  all(run) {
    const axis = axes[axes.chosen];
    return run.curves.last_step.map((_, i) => axis.of(run.curves, i));
  },

  /** The x of a step that may lie between two stretches. */
  at(run, step) {
    if (axes.chosen === "step") return step;
    const steps = run.curves.last_step;
    const x = axes.all(run);
    const after = steps.findIndex((last) => last >= step);
    if (after < 0) return x.length > 0 ? lastOf(x) : null;
    if (after === 0 || steps[after] === step) return x[after];
    const share = (step - steps[after - 1]) / (steps[after] - steps[after - 1]);
    return x[after - 1] + share * (x[after] - x[after - 1]);
  },

  available: () => ["step", "images", "hours"].filter((name) =>
    name !== "hours" || runs.some((run) => run.curves.time_s.some((time) => time !== null))),
};
