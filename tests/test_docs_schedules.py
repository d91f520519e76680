"""The page about schedules: what it shows can be read, and it names every key and every event."""

from __future__ import annotations

from pathlib import Path

from agent.jobs.schedules.firing import SEVERITY
from agent.settings import load
from agent.settings.schedule_models import ScheduleSettings
from tests.pages import named, snippets, typed

PAGE = "schedules.md"


def test_the_schedules_that_are_shown_are_right(tmp_path: Path) -> None:
    [config] = [it.text for it in snippets(PAGE) if it.text.startswith("name: ")]
    file = tmp_path / "station.yaml"
    file.write_text(config, "utf-8")
    assert set(load(file).schedules) == {"nightly-check", "warm-up"}


def test_every_key_is_named() -> None:
    assert set(named(PAGE, "key", "what it says")) == ScheduleSettings.model_fields.keys() - {
        "title"
    }


def test_every_end_of_a_firing_is_named() -> None:
    assert set(named(PAGE, "event", "what happened")) == {f"schedule.{it}" for it in SEVERITY}


def test_every_command_is_shown() -> None:
    shown = {line.split()[2] for line, _ in typed(PAGE)}
    assert shown == {"list", "next", "disable", "enable"}
