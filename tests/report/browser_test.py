"""Reports in a browser: no complaint in its console, nothing asked of any network, every chart drawn, on a desk and a phone,
light and dark."""

import json
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


def hostile_run(plain, folder):
    """Names from a run are text, whatever they are."""
    shutil.copytree(plain, folder)
    (folder / "outcome.json").write_text(json.dumps({"outcome": "<img src=x onerror=alert(1)>", "reason": "</script><script>alert(1)</script>"}))
    return folder


@pytest.fixture(scope="session")
def pages(continued, plain, tmp_path_factory):
    """By name, a report of a run in each state and two comparisons."""
    folder = tmp_path_factory.mktemp("pages")
    begun = folder / "begun"
    begun.mkdir()
    shutil.copy(plain / "config.toml", begun)
    long = long_run(plain, folder / "long")
    runs = {"continued": [continued], "plain": [plain], "begun": [begun], "long": [long],
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
