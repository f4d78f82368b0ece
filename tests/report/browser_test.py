"""Reports in a browser: no complaint in its console, nothing asked of any network, every chart drawn, on a desk and a phone,
light and dark."""

import json
import re
import shlex
import shutil

import pytest

from browser import chromium, opened
from pages import report
from runs import records

# What each canvas shows: its title, its chart's points, how many of its pixels are not empty, and its text for readers.
CHARTS = """[...document.querySelectorAll("canvas")].map((canvas) => {
  const chart = Chart.getChart(canvas);
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let drawn = 0;
  for (let i = 3; i < pixels.length; i += 4) drawn += pixels[i] > 0 ? 1 : 0;
  return {
    title: canvas.closest("article").querySelector("h3").firstChild.textContent,
    points: chart.data.datasets.reduce((sum, dataset) => sum + dataset.data.length, 0),
    drawn, label: canvas.getAttribute("aria-label"),
  };
})"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Texts that reach out of the tile, card or cell that they are in, and small tables that would have to be scrolled sideways.
OUTSIDE = """[
  ...[...document.querySelectorAll(".figure, .card, .card td, .problems li, .badge")].filter((box) => box.checkVisibility() && box.scrollWidth > box.clientWidth + 1),
  ...[...document.querySelectorAll(".card > .scroll")].filter((box) => box.scrollWidth > box.clientWidth),
  ...[...document.querySelectorAll(".figure .value > span")].filter((text) => {
    const range = document.createRange();
    range.selectNodeContents(text);
    return !text.textContent.includes(" ") && range.getClientRects().length > 1;  // a number that is broken in two
  }),
].map((box) => `${box.className || box.tagName}: ${box.textContent}`)"""
OF_ALL = {"Loss", "Loss by time step", "Images per second", "Gradient norm", "Learning rate", "Parts of a step", "FID"}


@pytest.fixture(scope="session")
def browser():
    with chromium() as browser:
        yield browser


def long_run(plain, folder):
    """As a long run logs it, with every field there is."""
    shutil.copytree(plain, folder)
    line = {**records(plain)[20], "images_per_s": 100.0, "upload_s": 0.01, "loss_scale": 65536.0, "time_s": 0}
    with open(folder / "metrics/train.jsonl", "w", encoding="utf-8") as file:
        for step in range(1, 3001):
            tenths = [None if step % 7 == k else (k + 1) / step for k in range(10)]
            file.write(json.dumps({**line, "step": step, "images": 4 * step, "loss": 20 / step, "time_s": 1e9 + step,
                                   "timestep_loss": tenths, "loss_scale": 2.0 ** (step // 1000)}) + "\n")
    return folder


BIG = 123_456_000


def big_run(plain, folder):
    """With the longest numbers and most marks that there may be, and no job that is seen to live."""
    shutil.copytree(plain, folder, symlinks=True)
    line = {**records(plain)[20], "step": BIG, "images": 64 * BIG, "time_s": 1e9}
    (folder / "metrics/train.jsonl").write_text("".join(json.dumps({**line, "step": step}) + "\n" for step in (BIG // 3, BIG // 2, BIG)))
    (folder / "outcome.json").write_text(json.dumps({"outcome": "running", "step": BIG, "total_steps": 987_654_321}))
    kept = [{"after": 0, "up_to": BIG // 3, "productive_s": 3e6, "attempt": 1},
            {"after": BIG // 3, "up_to": BIG // 2, "productive_s": 4e6, "attempt": 2},
            {"after": BIG // 2, "up_to": BIG, "productive_s": 1e6, "attempt": 2}]
    (folder / "goodput.json").write_text(json.dumps({
        "goodput": 0.912, "total_s": 8.64e6, "productive_s": 8e6, "lost_s": {"down": 64e4}, "attempts": 2, "redone_steps": 1, "bad_steps": 4321, "kept": kept}))
    (folder / "bad_steps").mkdir()
    (folder / f"bad_steps/step-{BIG}.json").write_text('{"loss": "nan", "grad_norm": 1.5}')
    for step in (BIG - 1000, BIG):
        checkpoint = folder / f"checkpoints/step-{step}"
        checkpoint.mkdir()
        (checkpoint / "manifest.json").write_text(json.dumps({"files": {"model.safetensors": {"size_bytes": 1023 << 30}}}))
    for link in ("latest", "best"):
        (folder / "checkpoints" / link).unlink(missing_ok=True)
        (folder / "checkpoints" / link).symlink_to(f"step-{BIG}")
    config = folder / "config.toml"
    config.write_text(re.sub("keep_every_steps = .*", "keep_every_steps = 1000", config.read_text()))
    return folder


def unreadable_run(continued, folder):
    """More previews than a page takes, two of them damaged; a log with one line of many that can be read, of which nothing is drawn; a single step, skipped."""
    shutil.copytree(continued, folder)
    picture = (folder / "previews/step-00000004.png").read_bytes()
    for step in range(1000, 1101):
        (folder / f"previews/step-{step:08d}.png").write_bytes(b"damage" if step == 1100 else picture)
    (folder / "previews/step-00000000.png").write_bytes(b"")
    (folder / "metrics/train.jsonl").write_text("damage\n" * 20_000 + '{"step": 20}\n' + "damage\n" * 20_000 + '{"step": 19}\n')
    (folder / "outcome.json").write_text(json.dumps({"outcome": "failure", "step": 20, "total_steps": 1000, "reason": "the disk is full"}))
    return folder


def hostile_run(plain, folder):
    """Names from a run are text, whatever they are."""
    shutil.copytree(plain, folder)
    (folder / "outcome.json").write_text(json.dumps({"outcome": "<img src=x onerror=alert(1)>", "reason": "</script><script>alert(1)</script>"}))
    return folder


@pytest.fixture(scope="session")
def pages(continued, returned, plain, tmp_path_factory):
    """By name, a report of a run in each state and two comparisons."""
    folder = tmp_path_factory.mktemp("pages")
    begun = folder / "begun"
    begun.mkdir()
    shutil.copy(plain / "config.toml", begun)
    long = long_run(plain, folder / "long")
    runs = {"continued": [continued], "plain": [plain], "begun": [begun], "long": [long],
            "big": [big_run(plain, folder / "big")], "unreadable": [unreadable_run(continued, folder / "unreadable")], "returned": [returned[0]],
            "hostile": [hostile_run(plain, folder / "<b>hostile")], "two": [continued, plain], "three": [long, begun, continued]}
    for name, folders in runs.items():
        report(*folders, "--output", folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in runs}


@pytest.mark.parametrize("name, titles", [
    ("continued", OF_ALL), ("plain", OF_ALL - {"FID"}), ("begun", set()),
    ("long", {"Loss", "Loss by time step", "Gradient norm", "Learning rate", "Images per second", "Parts of a step", "Loss scale"}),
    ("hostile", OF_ALL - {"FID"}), ("two", OF_ALL), ("three", {"Loss", "Loss by time step", "FID", "Images per second"})])
@pytest.mark.parametrize("size, scheme", [("desktop", "light"), ("phone", "dark")])
def test_a_page_is_drawn(browser, pages, name, titles, size, scheme):
    with opened(browser, pages[name], size, scheme) as page:
        charts = page.evaluate(CHARTS)
        assert page.complaints == []
        assert {url for url in page.requests if not url.startswith("data:")} == {pages[name].as_uri()}
        assert titles <= {chart["title"] for chart in charts} and bool(charts) == bool(titles)
        for chart in charts:
            assert chart["points"] > 0 and chart["drawn"] > 500, chart
            assert chart["label"].startswith(chart["title"]), chart
        assert page.evaluate(OVERFLOW) <= 0
        assert page.locator("h1").inner_text()
        assert all(image.get_attribute("alt") is not None for image in page.locator("img").all())


def test_it_says_how_the_run_went(browser, pages):
    with opened(browser, pages["continued"]) as page:
        assert page.locator("#state").inner_text() == "finished"
        sentence = page.locator("#sentence").inner_text()
        assert sentence.startswith("All 20 steps done in ") and "best FID" in sentence and "goodput" in sentence
        assert "2 attempts" in page.locator("#figures").inner_text()
        assert "1–10" in page.locator("#attempts-table").inner_text().replace(" ", "")
        assert "nan" in page.locator("#bad-steps-table").inner_text()
        page.locator("#configuration summary").click()
        assert "block_out_channels = [8, 8]" in page.locator("#configuration pre").inner_text()


def figures(page):
    """By label, the text of each tile."""
    tiles = page.locator(".figure").all()
    return {tile.locator(".label").inner_text(): " ".join(tile.inner_text().split("\n")[1:]) for tile in tiles}


@pytest.mark.parametrize("width", [360, 390])
@pytest.mark.parametrize("name", ["big", "continued", "returned", "long", "unreadable", "three"])
def test_nothing_is_cut_off_on_a_phone(browser, pages, name, width):
    with opened(browser, pages[name], viewport={"width": width, "height": 800}) as page:
        assert page.evaluate(OUTSIDE) == [] and page.evaluate(OVERFLOW) <= 0 and page.complaints == []
        if name == "big":
            assert figures(page)["Steps"].startswith(f"{BIG:,} of 987,654,321 ")
            assert "latest, best, kept for ever" in page.locator("#checkpoints-table").inner_text()


def test_a_job_that_is_not_seen_to_run_is_not_said_to(browser, pages):
    with opened(browser, pages["big"]) as page:
        state, sentence = page.locator("#state").inner_text(), page.locator("#sentence").inner_text()
        assert re.fullmatch(r"last seen \d+ d \d+ h ago", state), state
        assert "Whether it still runs cannot be told from here" in sentence and "left" not in figures(page)["Time"]


def with_job(pages, name, job, tmp_path):
    """The page, of a run whose job is alive, gone or not known."""
    text, count = re.subn('"job":"[a-z]+"', f'"job":"{job}"', pages[name].read_text())
    assert count == 1
    (tmp_path / "page.html").write_text(text)
    return tmp_path / "page.html"


@pytest.mark.parametrize("job, state, time", [("alive", "running", "2 attempts; some 700 d 0 h left"), ("gone", "killed or crashed", "2 attempts"),
                                              ("unknown", None, "2 attempts")])
def test_time_is_left_only_to_a_run_that_runs(browser, pages, tmp_path, job, state, time):
    with opened(browser, with_job(pages, "big", job, tmp_path)) as page:
        assert state in (None, page.locator("#state").inner_text())
        assert figures(page)["Time"] == f"100 d 0 h {time}"
        sentence = page.locator("#sentence").inner_text()
        assert ("Its process is gone" in sentence) == (job == "gone")
    with opened(browser, with_job(pages, "unreadable", job, tmp_path)) as page:  # it has failed, whatever holds the lock
        assert page.locator("#state").inner_text() == "failure" and "left" not in figures(page)["Time"]


def test_returns_are_told_from_restarts(browser, pages, returned):
    with opened(browser, pages["returned"]) as page:
        rows = [[cell.inner_text() for cell in row.locator("td").all()] for row in page.locator("#attempts-table tbody tr").all()]
        assert [row[:2] for row in rows] == [["1 – 4", "start"], [f"5 – {returned[1]}", "return"], [f"{returned[1] + 1} – 20", "restart"]]
        assert rows[0][3] == rows[1][3] == "–" != rows[2][3]
        assert "A return is no new attempt" in page.locator("#attempts-note").inner_text()
        note = page.locator("#marks-note").inner_text()
        assert "Dashed lines: restarts" in note and "Dotted lines: returns to a checkpoint" in note
        marks = "Chart.getChart(document.querySelector('canvas')).options.plugins.marks.restarts.map((mark) => [mark.x, mark.isRestore])"
        assert page.evaluate(marks) == [[4, True], [returned[1], False]]
    with opened(browser, pages["continued"]) as page:
        assert "Dotted" not in page.locator("#marks-note").inner_text() and "return" not in page.locator("#attempts").inner_text()


def test_what_cannot_be_read_is_said_once_and_alike(browser, pages):
    with opened(browser, pages["unreadable"]) as page:
        problems = [item.inner_text() for item in page.locator("#problems li").all()]
        assert problems[:2] == ["40,000 damaged lines of metrics/train.jsonl are left out.",
                                "1 line of metrics/train.jsonl is left out: its step is not above that of a line before."]
        assert len(problems) == 3 and problems[2] == "2 previews cannot be read and are left out. The first is that of step 0: the file is empty (0 bytes)."
        note = page.locator("#preview-note").inner_text()
        assert note.startswith("48 of 108 previews are left out to keep this file small; all are in ")
        assert note.endswith("/previews; 2 cannot be read (steps 0 and 1,100).")
        assert page.locator("#sentence").inner_text().startswith("20 of 1,000 steps done") and figures(page)["Steps"] == "20 of 1,000 160 images seen"
        assert page.locator("#charts").inner_text() == "There is nothing to draw: the lines of the log that can be read have no numbers."
        assert page.locator("#bad-steps-note").inner_text() == "1 step changed nothing: not finite, or a spike. Its images are named in bad_steps/."
    with opened(browser, pages["big"]) as page:
        assert page.locator("#bad-steps-note").inner_text() == "4,321 steps changed nothing: not finite, or a spike; of one that was bad in several tries the last is listed. Their images are named in bad_steps/."


def test_the_next_command_can_be_pasted(browser, pages):
    with opened(browser, pages["hostile"]) as page:
        command = page.locator("#next code").inner_text()
        program, option, folder, *rest = shlex.split(command)
        assert (program, option, rest) == ("effuse-sample", "--weights", ["--output", "samples"]) and folder.endswith("/<b>hostile"), command
    with opened(browser, pages["begun"]) as page:
        assert page.locator("#next").is_hidden()


def test_a_comparison_says_what_differs(browser, pages):
    with opened(browser, pages["two"]) as page:
        table = page.locator("#differences-table").inner_text()
        assert "optimizer.lr" in table and "0.004" in table and "run.batch_size" in table and "run.name" not in table
        assert page.locator("#runs-table tbody tr").count() == 2


def test_text_of_a_run_stays_text(browser, pages):
    with opened(browser, pages["hostile"]) as page:
        assert page.locator("h1").inner_text() == "<b>hostile" and page.locator("h1 b").count() == 0
        assert page.locator("#state").inner_text() == "<img src=x onerror=alert(1)>"


def test_previews_are_scrubbed_by_key(browser, pages):
    with opened(browser, pages["continued"]) as page:
        picture, step = page.locator("#preview-pictures img"), page.locator("#preview-step")
        last = picture.get_attribute("src")
        assert step.inner_text() == "step 20" and page.locator("#preview-strip img.current").count() == 1
        page.locator("#preview-slider").press("ArrowLeft")
        assert step.inner_text() == "step 16" and "16 steps" in picture.get_attribute("alt")
        assert picture.get_attribute("src") != last
        page.locator("#preview-slider").press("Home")
        assert step.inner_text() == "step 0"


def test_controls_change_the_curves(browser, pages):
    with opened(browser, pages["long"]) as page:
        scale, end = (f"Chart.getChart(document.querySelector('canvas')).scales.{what}" for what in ("y.type", "x.max"))
        assert page.evaluate(scale) == "logarithmic"  # 20 to 0.007
        page.locator("#log-loss").press(" ")
        assert page.evaluate(scale) == "linear"
        assert page.evaluate(end) == pytest.approx(3000, abs=4)
        page.locator("#axis").select_option("images")
        assert page.evaluate(end) == 12000
        page.locator("#axis").select_option("hours")
        assert page.evaluate(end) == pytest.approx(3000 / 3600, rel=0.01)
        before = page.locator("canvas").first.screenshot()
        page.locator("#smoothing").press("End")
        assert page.locator("canvas").first.screenshot() != before
        legend = page.locator(".legend button").first
        legend.click()
        assert legend.get_attribute("aria-pressed") == "false" and page.complaints == []


def test_colours_follow_light_and_dark(browser, pages):
    colours = "[getComputedStyle(document.body).backgroundColor, Chart.getChart(document.querySelector('canvas')).data.datasets.at(-1).borderColor]"
    with opened(browser, pages["continued"]) as page:
        light = page.evaluate(colours)
        page.emulate_media(color_scheme="dark")
        changed = "before => { const now = COLOURS; return now[0] !== before[0] && now[1] !== before[1] && now; }".replace("COLOURS", colours)
        dark = page.wait_for_function(changed, arg=light).json_value()
        page.emulate_media(color_scheme="light")
        assert page.wait_for_function(changed, arg=dark).json_value() == light


def test_it_prints(browser, pages, tmp_path):
    with opened(browser, pages["continued"], scheme="dark") as page:
        page.pdf(path=tmp_path / "page.pdf", format="A4")
        assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF") and page.complaints == []
