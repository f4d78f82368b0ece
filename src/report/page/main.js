// Draws the page from the data.

function noteOnMarks() {
  const wentOn = new Set(runs.flatMap((run) => run.restarts.map((restart) => restart.by)));
  const bad = runs.reduce((sum, run) => sum + Math.max(run.bad_steps.count, run.bad_steps.logged_count), 0);
  const each = Math.max(...runs.map((run) => run.curves.lines_each));
  const notes = [];
  if (wentOn.has("unknown")) notes.push("Dashed lines: the run went on, after a stop or a failure, or back at a checkpoint.");
  else if (wentOn.has("attempt")) notes.push("Dashed lines: restarts, where a new job went on after a stop or a failure.");
  if (wentOn.has("restore")) notes.push("Dotted lines: returns to a checkpoint within a job, after too many skipped steps in a row.");
  if (bad > 0) notes.push("Triangles: skipped steps.");
  if (each > 1) notes.push(`A point stands for ${format.count(each)} lines of the log: their mean, in a band from the least to the greatest.`);
  byId("marks-note").textContent = notes.join(" ");
  byId("marks-note").hidden = notes.length === 0;
}

drawHead();
if (isComparison) {
  drawRuns();
  drawDifferences();
} else {
  drawAttempts(runs[0]);
  drawCheckpoints(runs[0]);
  drawBadSteps(runs[0]);
  drawSetup(runs[0]);
  drawMachine(runs[0]);
}
drawPreviews();
setUpControls();
noteOnMarks();
drawCurves();
drawEvaluation();
drawTime();
drawSamples();
drawConfiguration();
drawFoot();
Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
drawAll();
theme.watch(drawAll);
