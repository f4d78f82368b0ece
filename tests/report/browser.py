"""Opens pages in Debian's Chromium, without a screen, by Playwright."""

import contextlib
import os
import pathlib
import shutil

from playwright.sync_api import sync_playwright

SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@contextlib.contextmanager
def chromium():
    program = shutil.which("chromium")
    if program is None:
        raise FileNotFoundError("chromium is missing, in which pages are looked at: scripts/setup installs it")
    # Root may not use Chromium's sandbox; the pages are our own.
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*flags, "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def opened(browser, file, size="desktop", scheme="light", **options):
    """The page of a file, with what it complained of and asked for in `complaints` and `requests`."""
    with browser.new_context(**{"viewport": SIZES[size], "color_scheme": scheme, **options}) as context:
        page = context.new_page()
        page.complaints, page.requests = [], []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(pathlib.Path(file).resolve().as_uri())
        yield page
