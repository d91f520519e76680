"""Pictures of every page of the console, in both languages at three widths: docs/pictures/<language>/.

Called by `scripts/docs --pictures`; with names of pictures, such as `device`, only those are taken. A demo of its own is brought into a state in which every page has
something to show; names and values are the same each time, times of day and ages are not.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from picture_demo import PASSWORD, Demo, demo
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

FOLDER: Final = Path(__file__).parent.parent / "docs" / "pictures"
CHROMIUM: Final = "/usr/bin/chromium"
QUIET: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
    "--disable-lcd-text",
)
LANGUAGES: Final = {"ko": "ko-KR", "en": "en-GB"}
HEIGHTS: Final = {360: 740, 768: 820, 1280: 800}
"""Of the window at each width, in px. A page that is higher is shown up to TALLEST times this."""
TALLEST: Final = 1.2
QUALITY: Final = 30
"""Of WebP, up to 100: letters stay sharp, and a page has 10 to 40 kB."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A page: the name of its file, its route, and what is done on it before it is shown."""

    name: str
    route: str
    of: dict[str, str] = field(default_factory=dict)
    before: Callable[[Page], None] | None = None
    by: str = "kim"
    """Who looks; "" where nobody has signed in."""

    @property
    def path(self) -> str:
        """The address, with the names of the demo in it."""
        return self.route.format_map(self.of)


def _look_and_print(page: Page) -> None:
    page.locator(".print-this").first.click()
    expect(page.locator("#print-form")).to_be_visible()


def _lose_the_connection(page: Page) -> None:
    page.route("**/live/**", lambda route: route.abort())
    page.reload()
    expect(page.locator('#connection[data-kind="lost"]')).to_be_visible()


def _stop(page: Page) -> None:
    page.locator("#stop button").click()
    expect(page.locator("#stop-devices li").first).to_be_visible()


CALM: Final = (
    Picture("sign-in", "/sign-in", by=""),
    Picture("start", "/jobs/start/{recipe}", {"recipe": "thermal_cycle"}),
    Picture("look-and-print", "/printers", before=_look_and_print),
)
"""Before anything runs."""
ASKED: Final = (Picture("question", "/jobs/{job}"),)
"""While a job asks."""
BUSY: Final = (
    Picture("station", "/"),
    Picture("large-view", "/?kiosk"),
    Picture("device", "/devices/{device}", {"device": "oven1"}),
    Picture("jobs", "/jobs"),
    Picture("job", "/jobs/{job}"),
    Picture("history", "/jobs/history"),
    Picture("run", "/jobs/{job}/run", {"job": "ended"}),
    Picture("printers", "/printers"),
    Picture("schedules", "/schedules"),
    Picture("alarms", "/alarms"),
    Picture("ledger", "/ledger"),
    Picture("about", "/about"),
    Picture("guide", "/guide/{name}", {"name": "index"}),
    Picture("people", "/people", by="park"),
    Picture("connection-lost", "/", before=_lose_the_connection),
)
"""While a job and a print run, one job waits, and an alarm is open."""
LAST: Final = (Picture("stop", "/", before=_stop, by=""),)
PICTURES: Final = (*CALM, *ASKED, *BUSY, *LAST)


class Album:
    """Takes pictures of one demo."""

    def __init__(self, browser: Browser, shown: Demo, names: Collection[str]) -> None:
        self._browser, self._demo, self._names = browser, shown, names

    def take(self, pictures: tuple[Picture, ...]) -> None:
        """Take these in every language, at every width."""
        wanted = [it for it in pictures if not self._names or it.name in self._names]
        for language in LANGUAGES:
            for who in dict.fromkeys(it.by for it in wanted):
                context = self._window(language, who)
                for picture in (it for it in wanted if it.by == who):
                    for width in HEIGHTS:
                        self._take(context, picture, language, width)
                context.close()

    def _window(self, language: str, who: str) -> BrowserContext:
        """A browser of somebody who has signed in, or of nobody."""
        context = self._browser.new_context(
            locale=LANGUAGES[language], timezone_id="Asia/Seoul", reduced_motion="reduce"
        )
        if who:
            page = context.new_page()
            page.goto(f"{self._demo.url}/sign-in")
            page.locator("#name").fill(who)
            page.locator("#password").fill(PASSWORD)
            page.keyboard.press("Enter")
            expect(page.locator("form.person")).to_be_visible()
            page.close()
        return context

    def _take(self, context: BrowserContext, picture: Picture, language: str, width: int) -> None:
        page, height = context.new_page(), HEIGHTS[width]
        page.set_viewport_size({"width": width, "height": height})
        named = {name: self._demo.jobs.get(it, it) for name, it in picture.of.items()}
        page.goto(f"{self._demo.url}{picture.route.format_map(self._demo.jobs | named)}")
        if page.locator("body[data-live]").count():
            expect(page.locator('#connection[data-kind="live"]')).to_be_visible()
        if picture.before:
            picture.before(page)
        page.wait_for_load_state("networkidle" if "trend" in page.content() else "load")
        whole = int(page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({"width": width, "height": min(whole, round(TALLEST * height))})
        shot = context.new_cdp_session(page).send(
            "Page.captureScreenshot", {"format": "webp", "quality": QUALITY}
        )
        file = FOLDER / language / f"{picture.name}-{width}.webp"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(shot["data"]))
        page.close()


def _bracket() -> str:
    """A file that prints for as long as pictures are taken: few lines, and slow ones."""
    layers = (
        f";LAYER_CHANGE\n;Z:{0.2 * it:.1f}\nG1 X{20 + it % 2 * 100} Y60 Z{0.2 * it:.1f} E1 F60"
        for it in range(1, 121)
    )
    return "\n".join(
        [
            "; generated by PrusaSlicer 2.8.1 on 2026-11-28",
            *("G21", "G90", "M83", "M140 S40", "M104 S200", "G28", *layers, "M104 S0", "M140 S0"),
            "; filament used [mm] = 5120.4",
            "; filament used [g] = 15.3",
            "; estimated printing time (normal mode) = 3h 20m 10s",
            "; total layers count = 120",
            "; prusaslicer_config = begin",
            "; layer_height = 0.2",
            "; prusaslicer_config = end",
            "",
        ]
    )


def main() -> None:
    """Bring a demo from one state to the next, and take the pictures of each."""
    with demo() as shown, sync_playwright() as playwright:
        shown.add("kim", "technician", "김하나")
        shown.add("park", "administrator", "박도윤")
        shown.sign_in("kim")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        album = Album(browser, shown, sys.argv[1:])
        shown.jobs["ended"] = shown.start("leakage_ramp", arguments={"sample": "R-1", "limit": 0.6})
        shown.answer(shown.jobs["ended"])
        shown.until_closed(shown.jobs["ended"])
        album.take(CALM)
        given = {"specimen": "SN-0042", "lot": "L-77"}
        shown.jobs["job"] = shown.start("thermal_cycle", arguments=given)
        shown.start("thermal_cycle", arguments={"specimen": "SN-0043", "lot": "L-77"})
        shown.until_asked(shown.jobs["job"])
        album.take(ASKED)
        shown.answer(shown.jobs["job"])
        shown.print("printer1", "bracket.gcode", _bracket())
        shown.set("psu1", "voltage", 12.0)
        shown.set("psu1", "output", value=True)
        shown.until_alarm("supply-high")
        album.take(BUSY)
        album.take(LAST)
        browser.close()
    taken = sorted(FOLDER.rglob("*.webp"))
    size = sum(it.stat().st_size for it in taken)
    print(f"{len(taken)} pictures, {size / 1e6:.2f} MB, in {FOLDER}")


if __name__ == "__main__":
    main()
