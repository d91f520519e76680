"""A job on a terminal: what is shown of it, questions answered where they are put, and Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent.cli import job_view
from agent.cli.job_news import News
from agent.cli.job_wait import Stopwatch
from agent.jobs.states import JobState
from agent.web.api import build_api
from agent.web.listeners import bind_unix
from tests.agent.jobs_bench import KIM, JobsBench, jobs_in_memory, toys
from tests.agent.web_bench import SETTINGS, TOKEN, serving
from tests.lab.terminal import WITHIN_S, terminal

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]
STEP = {
    "titles": {"ko": "가열", "en": "Heating"},
    "left": None,
    "limit": None,
    "turn": 0,
    "turns": None,
}


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[JobsBench]:
    async with jobs_in_memory(tmp_path) as made:
        api = build_api(made.station.station, SETTINGS, TOKEN)
        async with serving(api, await asyncio.to_thread(bind_unix, tmp_path / "agent.sock")):
            yield made


ASKS = """\
- confirm: {ko: 준비되었습니까?, en: Ready?}
- input: {ko: 두께는?, en: How thick?}
  as: thick
  value: {type: number, unit: mm, low: 0.1, high: 20}
- measure: {thickness: {value: thick, unit: mm, high: 5}}
- log: {ko: "두께 {thick}", en: "it is {thick} mm thick"}
"""


async def test_questions_are_answered_where_they_are_put_and_what_does_not_fit_is_asked_again(
    bench: JobsBench, tmp_path: Path
) -> None:
    bench.write(ASKS)
    words = ("job", "start", "trial", "--wait")
    async with terminal(tmp_path / "agent.sock", *words) as shown:
        await shown.until("Ready? [yes/no] ")
        shown.type("perhaps\n")
        await shown.until("'perhaps' is neither yes nor no")
        shown.type("yes\n")
        await shown.until("How thick? [number mm] ")
        shown.type("30\n")
        await shown.until("30 mm is above 20 mm")
        shown.type("2.5\n")
        assert await shown.ended() == 0
    [job] = bench.jobs.listing
    said = "\n".join(shown.lines)
    assert "thickness: 2.5 mm, pass" in said
    assert "it is 2.5 mm thick" in said
    assert f"job {job.id} (trial) is done; verdict: pass" in said
    assert [it.value for it in job.answers] == [True, 2.5]
    assert "Traceback" not in shown.seen


async def test_a_question_in_korean_takes_an_answer_in_korean(
    bench: JobsBench, tmp_path: Path
) -> None:
    bench.write("- confirm: {ko: 준비되었습니까?, en: Ready?}")
    words = ("job", "start", "trial", "--wait")
    async with terminal(tmp_path / "agent.sock", *words, language="ko_KR.UTF-8") as shown:
        await shown.until("준비되었습니까? [예/아니요] ")
        shown.type("아니요\n")
        assert await shown.ended() == 3
    [job] = bench.jobs.listing
    assert job.state is JobState.FAILED
    assert [it.value for it in job.answers] == [False]


async def test_ctrl_c_leaves_the_job_running_and_says_how_to_stop_it(
    bench: JobsBench, tmp_path: Path
) -> None:
    bench.write("- wait: 60\n  title: {ko: 유지, en: Soaking}")
    words = ("job", "start", "trial", "--wait")
    async with terminal(tmp_path / "agent.sock", *words) as shown:
        await shown.until("Soaking")
        await shown.until("left")
        shown.type("\x03")
        assert await shown.ended() == 130
    [job] = bench.jobs.listing
    assert job.state is JobState.RUNNING
    assert f"`labkeeper job stop {job.id}` stops it" in shown.seen
    async with terminal(tmp_path / "agent.sock", "job", "watch", job.id) as again:
        await again.until("running · Soaking")
        await bench.jobs.stop(job.id, KIM)
        assert await again.ended() == 3
    assert "is stopped: stopped by kim" in "\n".join(again.lines)


async def test_what_somebody_else_answers_is_told_and_asked_no_longer(
    bench: JobsBench, tmp_path: Path
) -> None:
    bench.write("- confirm: Ready?\n- wait: 0.5")
    async with terminal(tmp_path / "agent.sock", "job", "start", "trial", "--wait") as shown:
        await shown.until("Ready? [yes/no] ")
        await bench.jobs.answer((await bench.until_asked()).id, True, KIM)
        assert await shown.ended() == 0
    assert "Ready? yes (kim)" in "\n".join(shown.lines)


async def test_a_closed_input_leaves_the_question_to_others(
    bench: JobsBench, tmp_path: Path
) -> None:
    bench.write("- confirm: Ready?")
    async with terminal(tmp_path / "agent.sock", "job", "start", "trial", "--wait") as shown:
        await shown.until("Ready? [yes/no] ")
        shown.type("\x04")
        question = await bench.until_asked()
        await shown.until(f"`labkeeper job answer {question.id} …` answers")
        await bench.jobs.answer(question.id, True, KIM)
        assert await shown.ended() == 0


async def test_in_a_pipe_the_question_says_how_it_is_answered(
    bench: JobsBench, tmp_path: Path
) -> None:
    bench.write("- confirm: Ready?\n- log: gone on")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent.cli", "--socket", str(tmp_path / "agent.sock")),
        *("job", "start", "trial", "--wait"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "LC_ALL": "en_US.UTF-8"},
    )
    question = await bench.until_asked()
    assert process.stdout is not None
    async with asyncio.timeout(WITHIN_S):
        first = (await process.stdout.readline()).decode()
        await bench.jobs.answer(question.id, True, KIM)
        out, _ = await process.communicate()
    assert first == f"Ready? [yes/no]: `labkeeper job answer {question.id} …` answers\n"
    assert [line.partition(" (")[0] for line in out.decode().splitlines()][:2] == [
        "Ready? yes",
        "gone on",
    ]
    assert "\x1b" not in first + out.decode()
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"left": 75.0}, "1 min 15 s left"),
        ({"limit": 1800.0}, "time left unknown, 30 min 00 s at most"),
        ({}, "time left unknown"),
    ],
)
def test_what_nobody_knows_of_the_time_left_is_called_unknown(
    step: dict[str, float], said: str
) -> None:
    job = {"state": "running", "now": [STEP | step], "why": ""}
    assert job_view.standing(job, "en", 12.0) == f"running · Heating · 12 s so far · {said}"


@pytest.mark.parametrize(
    ("left", "said"),
    [
        ({"kind": "at_least", "seconds": 720.0, "runs": 0}, "at least 12 min 00 s left"),
        ({"kind": "about", "seconds": 2100.0, "runs": 5}, "about 35 min 00 s left, after the last 5 runs"),
        ({"kind": "about", "seconds": 60.0, "runs": 1}, "about 1 min 00 s left, after the last run"),
    ],
)  # fmt: skip
def test_what_is_left_of_the_job_is_said_as_what_it_is(left: dict[str, Any], said: str) -> None:
    job = {"state": "running", "now": [STEP], "why": "", "left": left}
    shown = job_view.standing(job, "en", None)
    assert shown == f"running · Heating · time left unknown · the job: {said}"


def test_of_a_job_of_which_nobody_knows_what_is_left_nothing_is_said() -> None:
    assert job_view.whole_left({"left": {"kind": "unknown", "seconds": None, "runs": 0}}) == ""
    assert job_view.whole_left({"left": None}) == ""


def test_a_loop_tells_its_turn_and_of_how_many_where_that_is_known() -> None:
    loop = STEP | {"titles": {"en": "Cycles"}, "turn": 2, "turns": 3}
    endless = STEP | {"titles": {"en": "until cold"}, "turn": 7}
    job = {"state": "running", "now": [loop, endless, STEP], "why": ""}
    said = job_view.standing(job, "ko", None)
    assert said == "running · Cycles 2 of 3 · until cold 7 · 가열 · time left unknown"


def test_each_thing_is_told_once_in_the_order_in_which_it_happened() -> None:
    measure = {"name": "a", "value": 1.0, "unit": "V", "verdict": "fail", "reason": "too much"}
    line = {"level": "warning", "texts": {"ko": "둘", "en": "two"}}
    job = {
        "state": "running",
        "why": "",
        "ended": None,
        "measures": [{"time": "2", **measure}],
        "log": [{"time": "1", **line}],
        "answers": [],
    }
    news = News("en")
    assert list(news.of(job)) == ["warning: two", "a: 1 V, fail: too much"]
    assert list(news.of(job)) == []
    assert list(news.of({**job, "state": "paused", "why": "by kim"})) == ["paused: by kim"]


class Frozen:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now, self.wall = 100.0, 1_800_000_060.0

    def utc(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


def test_how_long_a_job_has_run_goes_by_the_clock_that_never_steps() -> None:
    clock = Frozen()
    watch = Stopwatch(clock=clock)
    job = {"began": "2027-01-15T08:00:00.000Z"}
    assert watch.elapsed({"began": None}) is None
    assert watch.elapsed(job) == pytest.approx(60.0)
    clock.now += 5
    clock.wall += 3600  # somebody has set the clock
    assert watch.elapsed(job) == pytest.approx(65.0)
