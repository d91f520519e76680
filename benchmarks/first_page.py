"""The page of a station of 64 devices, in a browser that has never been there: how soon, how much?

Chromium is asked itself: when the page was painted, when it was loaded and its scripts had run, and
how many bytes came over the line for it.
"""

import asyncio
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, Final

from playwright.async_api import Browser, async_playwright

from agent.cli.demo.ports import choose
from agent.cli.demo.wishes import Wishes
from benchmarks.consoles import ALL_UP_WITHIN_S, DEVICES, WARM_UP_S, config_of
from benchmarks.result import Result
from benchmarks.station import simulators, station, until_all_answer

CHROMIUM: Final = "/usr/bin/chromium"
QUIET: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)
GOAL_MS: Final = 300
GOAL_BYTES: Final = 150_000
TIMES: Final = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const [painted] = performance.getEntriesByName("first-contentful-paint");
  return [painted.startTime, page.loadEventEnd];
}"""


async def measure(quick: bool) -> list[Result]:
    """Open it 15 times (5 when quick), each time with nothing kept; the first is not counted."""
    with tempfile.TemporaryDirectory(prefix="lk-bench-") as made:
        folder, ports = Path(made), choose(Wishes())
        async with simulators(folder, "--modbus-devices", DEVICES) as devices:
            text = config_of(folder, devices, ports.metrics).replace(
                "127.0.0.1:0", f"127.0.0.1:{ports.api}"
            )
            async with station(folder, text):
                await until_all_answer(ports.metrics, DEVICES, ALL_UP_WITHIN_S)
                await asyncio.sleep(WARM_UP_S)
                return [await _opened(f"http://127.0.0.1:{ports.api}/", 5 if quick else 15)]


async def _opened(url: str, times: int) -> Result:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        await _once(browser, url)
        rows = [await _once(browser, url) for _ in range(times)]
        await browser.close()
    painted, loaded, came = (median(it) for it in zip(*rows, strict=True))
    return Result(
        name="first_page",
        figure=(
            f"the page of {DEVICES} devices is painted after {painted:.0f} ms and loaded after "
            f"{loaded:.0f} ms, with {came / 1000:.0f} kB"
        ),
        goal=f"within {GOAL_MS} ms, {GOAL_BYTES / 1000:.0f} kB",
        reached=min(GOAL_MS / max(loaded, painted), GOAL_BYTES / came),
        more={"painted_ms": [it[0] for it in rows], "loaded_ms": [it[1] for it in rows]},
    )


async def _once(browser: Browser, url: str) -> tuple[float, float, float]:
    """When it was painted and loaded, in ms, and how many bytes came."""
    context = await browser.new_context(locale="ko-KR", viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    devtools = await context.new_cdp_session(page)
    came: list[float] = []

    def finished(event: dict[str, Any]) -> None:
        came.append(event["encodedDataLength"])

    devtools.on("Network.loadingFinished", finished)
    await devtools.send("Network.enable")
    await page.goto(url, wait_until="load")
    await page.wait_for_selector('#connection[data-kind="live"]')
    painted, loaded = await page.evaluate(TIMES)
    await context.close()
    return painted, loaded, sum(came)
