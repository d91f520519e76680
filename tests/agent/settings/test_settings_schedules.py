"""What a config says of schedules, and what is wrong with them, each with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.settings import Timetable
from drivers import Role
from tests.agent.settings_bench import complaints, loaded, use_toys

DEVICES = """\
name: bench-3
devices:
  psu1: {driver: toy.supply, address: "tcp://192.0.2.1:1"}
  spare: {driver: toy.supply, address: "tcp://192.0.2.3:1", enabled: false}
schedules:
"""
RIGHT = """\
  nightly:
    title: {en: Nightly self-check, ko: 야간 자가 점검}
    recipe: nightly_check
    arguments: {room_low: 12, strict: true, lot: L-3}
    devices: {supply: psu1}
    cron: 30 2 * * MON-FRI
    zone: Europe/Berlin
    missed: once
    late: 3600
    overlap: queue
    role: engineer
"""


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    use_toys(monkeypatch)


def wrong(folder: Path, *lines: str) -> list[str]:
    """What is said of a schedule called x with these lines."""
    text = DEVICES + "".join(f"{it}\n" for it in ("  x:", *lines))
    return complaints(folder, text)


def test_a_schedule_is_read_as_it_is_written(tmp_path: Path) -> None:
    (found,) = loaded(tmp_path, DEVICES + RIGHT).schedules.values()
    assert (found.name, found.recipe, found.title.ko) == (
        "nightly",
        "nightly_check",
        "야간 자가 점검",
    )
    assert dict(found.arguments) == {"room_low": 12, "strict": True, "lot": "L-3"}
    assert dict(found.devices) == {"supply": "psu1"}
    assert found.timetable == Timetable("30 2 * * MON-FRI", "Europe/Berlin")
    assert (found.missed, found.late, found.overlap) == ("once", 3600.0, "queue")
    assert (found.role, found.enabled) == (Role.ENGINEER, True)


def test_what_is_not_said_is_cautious_and_in_korean_time(tmp_path: Path) -> None:
    text = f"{DEVICES}  nightly: {{recipe: nightly_check, cron: 0 2 * * *}}\n"
    (found,) = loaded(tmp_path, text).schedules.values()
    assert found.timetable.zone == "Asia/Seoul"
    assert (found.missed, found.overlap) == ("skip", "skip")
    assert (found.role, found.enabled) == (Role.TECHNICIAN, True)


def test_a_problem_with_a_key_of_a_schedule_keeps_its_place(tmp_path: Path) -> None:
    (found,) = loaded(tmp_path, DEVICES + RIGHT).schedules.values()
    said = str(found.problem("recipe", "is not there")).replace(f"{tmp_path}/", "")
    assert said == "station.yaml:8:13: schedules.nightly.recipe: is not there"
    (short,) = loaded(
        tmp_path, f"{DEVICES}  x: {{recipe: y, cron: 0 2 * * *}}\n"
    ).schedules.values()
    assert ":6:3: schedules.x: " in str(short.problem("arguments", "are missing"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("cron: 61 2 * * *", "its minute is wrong"),
        ("cron: 0 24 * * *", "its hour is wrong"),
        ("cron: 0 0 32 * *", "its day-of-month is wrong"),
        ("cron: 0 0 * JANUARY *", "its month is wrong"),
        ("cron: 0 0 * * MO", "its day-of-week is wrong"),
        ("cron: 0 0 30 2 *", "its day-of-month is wrong"),
        ("cron: 0 0 31 4 *", "its day-of-month is wrong"),
        ("cron: '@daily'", "has 1 fields, and needs 5: minute, hour, day-of-month"),
        ("cron: 0 0 2 * * *", "has 6 fields, and needs 5"),
        ("cron: 5", "5 is not text: put it in quotes"),
        ("zone: Seoul", "'Seoul' is no time zone; allowed: names of the IANA's list"),
        ("zone: ../../etc/passwd", "is no time zone"),
        ("zone: Asia", "is no time zone"),
        ("late: 600", "belongs to `missed: once`"),
        ("missed: burst", "'burst' is not allowed; allowed: 'skip' or 'once'"),
        ("overlap: run", "'run' is not allowed; allowed: 'skip' or 'queue'"),
        ("devices: {supply: psu2}", "no device is called psu2; did you mean psu1?"),
        ("devices: {supply: spare}", "spare is not enabled: no job can use it"),
        ("arguments: {hot: [1]}", "[1] is no number, text, true or false"),
        ("role: boss", "'boss' is not a role"),
        ("every: 5", "there is no such key here"),
    ],
)
def test_a_wrong_schedule_is_told_of_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    rest = [it for it in ("recipe: y", "cron: 0 2 * * *") if it[:5] != line[:5]]
    found = wrong(tmp_path, *(f"    {it}" for it in (*rest, line)))
    assert len(found) == 1, found
    assert found[0].startswith(f"station.yaml:{7 + len(rest)}:")
    assert said in found[0]


def test_all_that_is_wrong_with_a_schedule_is_said_at_once(tmp_path: Path) -> None:
    found = wrong(
        tmp_path,
        *("    recipe: y", "    cron: 0 99 * * *", "    zone: Mars/Olympus", "    late: 90"),
    )
    assert [it.split(": ")[1] for it in found] == [
        "schedules.x.cron",
        "schedules.x.zone",
        "schedules.x.late",
    ]
