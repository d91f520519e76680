"""Recipes for the pages of jobs, and jobs that are started beside the browser."""

from __future__ import annotations

import time

import httpx

from tests.browser.stage import Stage

RECIPES = {
    "quick": """\
name: quick
version: "1"
title: {ko: 빠른 점검, en: Quick check}
about: {ko: 오븐 온도를 기록하고 판정합니다., en: Records and judges the temperature of the oven.}
parameters:
  note: {type: text, default: none, title: {ko: 메모, en: Note}}
devices:
  oven: {needs: [temperature Cel], device: oven1}
steps:
  - log: "{note}"
  - record: [oven.temperature]
    every: 50 ms
    as: warm_up
    steps:
      - wait: 500 ms
  - measure:
      oven_temperature: {value: oven.temperature, low: -40, high: 200}
      too_hot: {value: oven.temperature, high: -100}
""",
    "soak_test": """\
name: soak_test
version: "1"
title: {ko: 유지 시험, en: Soak test}
about: {ko: 오븐 온도를 지켜보며 정해진 시간 동안 기다립니다., en: Waits for a time and watches the oven.}
parameters:
  hot: {type: number, unit: Cel, low: 40, high: 150, default: 60, title: {ko: 고온, en: Hot}}
  cycles: {type: integer, low: 1, high: 100, default: 3, title: {ko: 반복 횟수, en: Cycles}}
  lot: {type: lot, default: L-1, title: {ko: 로트 번호, en: Lot}}
  mode: {type: choice, choices: [gentle, fast], default: gentle, title: {ko: 방식, en: Mode}}
  dry: {type: boolean, default: true, title: {ko: 건조, en: Dry}}
devices:
  oven: {needs: [temperature Cel], device: oven1, title: {ko: 오븐, en: Oven}}
steps:
  - confirm: {ko: "로트 {lot}의 시편이 오븐 안에 있습니까?", en: "Is the specimen of lot {lot} in the oven?"}
  - repeat: {times: =cycles, as: cycle}
    title: {ko: 사이클, en: Cycles}
    steps:
      - log: {ko: "사이클 {cycle} ({hot})", en: "Cycle {cycle} at {hot}, {mode}, {dry}"}
      - measure:
          start: {value: oven.temperature, low: -40, high: 200}
      - wait: 5 min
        title: {ko: 고온 유지, en: Soaking}
finally:
  - log: {ko: 끝, en: The end}
""",
    "asks_value": """\
name: asks_value
version: "1"
title: {ko: 값 입력, en: Ask for a value}
steps:
  - input: {ko: 두께는 얼마입니까?, en: How thick is it?}
    as: thick
    value: {type: number, unit: mm, low: 1, high: 5}
  - log: {ko: "{thick}", en: "It is {thick}"}
""",
}


def put_recipes(lab: Stage) -> None:
    """Give the station the recipes of these tests; it reads them when it is asked."""
    folder = lab.folder / "recipes"
    folder.mkdir(exist_ok=True)
    for name, text in RECIPES.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")


def started(jobs: httpx.Client, recipe: str, **more: object) -> str:
    answer = jobs.post("/jobs", json={"recipe": recipe, **more})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["job"])


def ended(jobs: httpx.Client, recipe: str) -> str:
    """A job that has run to its end, with its folder closed."""
    job = started(jobs, recipe)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if jobs.get(f"/jobs/{job}/run").status_code == 200:
            return job
        time.sleep(0.05)  # noqa: TID251 - until the run is closed
    raise AssertionError(jobs.get(f"/jobs/{job}").text)
