"""The page in a real browser: nothing runs, nothing is fetched, nothing overflows, everything has its name and enough contrast."""

import importlib.util
from itertools import pairwise
from pathlib import Path

import pytest
from report_hostile import HOSTILE, infested

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium (apt install chromium)"),
    pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="needs the Python package playwright"),
]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]

OUTLINE = """() => [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => [Number(h.tagName[1]), h.textContent.trim()])"""
CONTRAST = """() => {
  const canvas = document.createElement('canvas'); canvas.width = canvas.height = 1;
  const context = canvas.getContext('2d', {willReadFrequently: true});
  const rgb = colour => { context.clearRect(0, 0, 1, 1); context.fillStyle = colour; context.fillRect(0, 0, 1, 1);
                          return [...context.getImageData(0, 0, 1, 1).data]; };
  const light = c => { const f = c.slice(0, 3).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
                       return .2126 * f[0] + .7152 * f[1] + .0722 * f[2]; };
  const ground = element => { for (let e = element; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
                                                                           if (c[3] > 250) return c; } return [255, 255, 255, 255]; };
  const poor = [];
  for (const element of document.querySelectorAll('body *')) {
    const words = [...element.childNodes].filter(n => n.nodeType === 3 && n.textContent.trim());
    if (!words.length || !element.checkVisibility() || element.closest('.unseen, .skip')) continue;
    const style = getComputedStyle(element);
    const ink = element.namespaceURI.endsWith('svg') ? style.fill : style.color;
    const [a, b] = [light(rgb(ink)), light(ground(element))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) poor.push([element.tagName, ink, ratio.toFixed(2), words[0].textContent.trim().slice(0, 30)]);
  }
  return poor;
}"""
OVERFLOWING = """() => [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && !e.closest('.scroll, svg, .unseen')
  && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + '.' + e.className)"""


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield found
        found.close()


@pytest.fixture(scope="module")
def address(page, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


class Visit:
    """A page that is open, with all that it said and asked for."""

    def __init__(self, browser, address, **settings):
        self.tab = browser.new_page(**settings)
        self.said, self.asked, self.dialogs = [], [], []
        self.tab.on("console", lambda message: self.said.append(message.text))
        self.tab.on("pageerror", lambda error: self.said.append(str(error)))
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.tab.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        self.tab.goto(address, wait_until="load")

    @property
    def fetched(self):
        return [url for url in self.asked if not url.startswith(("data:", "about:"))]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tab.close()


def test_it_says_nothing_and_fetches_nothing(browser, address):
    with Visit(browser, address) as visit:
        visit.tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        visit.tab.wait_for_timeout(100)
        assert visit.said == [] and visit.fetched == [address]
        broken = "[...document.images].filter(i => i.src && !i.naturalWidth && i.checkVisibility()).length"
        assert visit.tab.evaluate(broken) == 0
        assert visit.tab.evaluate("document.images.length") > 3


def test_it_can_be_read_by_ear_and_keyboard(browser, address):
    with Visit(browser, address) as visit:
        outline = visit.tab.evaluate(OUTLINE)
        levels = [level for level, _ in outline]
        assert levels.count(1) == 1 and levels[0] == 1
        assert all(b <= a + 1 for a, b in pairwise(levels)), "a heading skips a level"
        assert all(words for _, words in outline)
        count = visit.tab.evaluate
        assert count("document.querySelectorAll('img:not([alt]), img[alt=\"\"]').length") == 0
        assert count("[...document.querySelectorAll('table')].every(t => t.caption && t.caption.textContent.trim())")
        assert count("document.querySelectorAll('main, nav[aria-label], header, footer').length") >= 4
        assert count("document.documentElement.lang") == "en"
        visit.tab.keyboard.press("Tab")
        assert count("document.activeElement.textContent") == "Skip to the report"
        visit.tab.keyboard.press("Enter")
        assert count("document.activeElement.id") == "main"
        assert count("""[...document.querySelectorAll('svg[role=img]')].every(
          s => s.getAttribute('aria-labelledby').split(' ').every(i => document.getElementById(i).textContent))""")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_in_light_and_dark(browser, address, scheme):
    with Visit(browser, address, color_scheme=scheme) as visit:
        visit.tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert visit.tab.evaluate(CONTRAST) == []


def test_dark_is_dark(browser, address):
    grounds = {}
    for scheme in ("light", "dark"):
        with Visit(browser, address, color_scheme=scheme) as visit:
            grounds[scheme] = visit.tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert grounds["light"] != grounds["dark"]


@pytest.mark.parametrize("width", [320, 360, 800, 1400])
def test_nothing_sticks_out(browser, address, width):
    with Visit(browser, address, viewport={"width": width, "height": 800}) as visit:
        visit.tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert visit.tab.evaluate("document.documentElement.scrollWidth") <= width
        assert visit.tab.evaluate(OVERFLOWING) == []
        drawings = "[...document.querySelectorAll('svg[role=img]')].filter(s => s.checkVisibility()).length"
        figures = visit.tab.evaluate("document.querySelectorAll('figure').length")
        assert visit.tab.evaluate(drawings) == figures > 3, "one drawing of each figure is seen at any width"


def test_paper_holds_what_the_reader_opened(browser, address):
    with Visit(browser, address, viewport={"width": 500, "height": 800}) as visit:
        visit.tab.evaluate("document.querySelector('#scorecard details').open = true")
        visit.tab.emulate_media(media="print")
        assert not visit.tab.evaluate("document.querySelector('nav').checkVisibility()")
        assert visit.tab.evaluate("document.querySelector('#scorecard details table').checkVisibility()")
        clipped = (
            "[...document.querySelectorAll('.scroll')].filter(e => getComputedStyle(e).overflowX != 'visible').length"
        )
        assert visit.tab.evaluate(clipped) == 0
        assert visit.tab.evaluate("document.querySelector('.wide svg').checkVisibility()"), "paper is wide"


def test_hostile_strings_do_nothing_in_a_browser(browser, report_content, tmp_path, monkeypatch):
    from assay.reporting import html

    monkeypatch.setattr("assay.reporting.figures.figures", lambda content: [])
    expected = []
    with Visit(browser, "about:blank") as visit:
        for number, bad in enumerate(HOSTILE.values()):
            path = tmp_path / f"{number}.html"
            path.write_text(html.render(infested(report_content, bad)), encoding="utf-8")
            expected.append(path.as_uri())
            visit.tab.goto(path.as_uri(), wait_until="load")
            visit.tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            assert visit.dialogs == [] and visit.said == [], bad[:60]
            assert visit.fetched == expected, bad[:60]
