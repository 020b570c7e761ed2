"""Debian's Chromium, driven by Playwright, and checks of pages in it."""

import shutil
from contextlib import contextmanager

import pytest

CHROMIUM = shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
WIDTHS = (390, 1440)
SCHEMES = ("light", "dark")


@contextmanager
def chromium():
    """Yield a browser with a fresh profile; skip if there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install '.[dev]'")
    if CHROMIUM is None:
        pytest.skip("chromium is missing: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Visit:
    """A page in its own tab, with all its console errors and network requests."""

    def __init__(self, browser, url, width=1440, scheme="light", **options):
        self.url, self.complaints, self.requests = url, [], []
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", **options
        )
        context.set_default_timeout(90_000)
        self.page = context.new_page()
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(url)

    @property
    def foreign(self):
        """The requests for anything but the page itself and its contents."""
        return [url for url in self.requests if not url.startswith(("data:", self.url))]

    def overflow(self):
        """How many pixels of the page lie beyond the window's right edge."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def violations(self, *rules):
        """Return the findings of an accessibility checker, one per line, by all or by the given rules."""
        from axe_playwright_python.sync_playwright import Axe

        options = {"runOnly": list(rules)} if rules else {}
        found = Axe().run(self.page, options=options).response["violations"]
        return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]

    def open_cell(self, exhibit, row, metric):
        """Click on a cell and return its dialog."""
        self.page.click(f'[data-cell="{exhibit}/{row}/{metric}"]')
        return self.page.locator("dialog[open]")

    def close(self):
        self.page.context.close()
