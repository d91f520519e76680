"""What the doctor finds at a machine that is broken in one way at a time, and what it says to do."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import monotonic

import pytest

from agent.doctor import ports
from agent.doctor.examinations import EXAMINATIONS, TITLES
from agent.doctor.examine import examine
from agent.doctor.finding import Finding, Verdict, right, worst, wrong
from agent.doctor.patient import Patient, runs
from agent.doctor.user import User
from agent.errors import ConfigError, NoAgent, Problem, Refused
from agent.provenance import config_hash
from tests.agent.doctor_bench import held, patient, words

DEVICE = "devices: {{stage1: {{driver: motion.grbl, address: 'serial://{port}'}}}}"


@pytest.fixture
def port() -> Iterator[str]:
    ends = os.openpty()
    yield os.ttyname(ends[1])
    for end in ends:
        os.close(end)


def test_every_examination_has_a_title() -> None:
    assert list(TITLES) == list(EXAMINATIONS)


def test_the_worst_of_all_counts() -> None:
    assert worst([]) is Verdict.RIGHT
    assert worst([right("a"), wrong("b", "c"), right("d")]) is Verdict.WRONG


def test_a_config_with_a_mistake_is_said_with_its_place_and_the_others_wait(tmp_path: Path) -> None:
    who = patient(tmp_path, "devices: 7")
    [said] = words("config", who)
    assert said.startswith(f"wrong: {tmp_path / 'station.yaml'}:3:10: devices: ")
    assert "labkeeper check --config" in said
    assert words("ports", who) == ["unknown: not examined, because the config can't be read → "]


def test_a_config_that_is_not_there_is_asked_for(tmp_path: Path) -> None:
    who = patient(tmp_path)
    gone = replace(who, described=None, complaint=ConfigError([Problem("x.yaml", 0, 0, "", "no")]))
    assert words("config", gone) == [
        "wrong: x.yaml: no → say with --config which file describes this station"
    ]


def test_a_warning_of_a_config_is_doubtful(tmp_path: Path) -> None:
    who = patient(tmp_path, "metrics: {token_file: scraper.token}")
    first, *more = words("config", who)
    assert first.startswith("right: ")
    assert all(it.startswith("doubtful: ") for it in more)
    assert any("there is no file" in it and "scraper.token" in it for it in more)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "right: the agent that runs has taken this config over"),
        ({"sha256": "0" * 64}, "was changed after the agent had read it → `systemctl reload"),
        ({"file": "/elsewhere.yaml"}, "wrong: the agent that answers is that of bench-1, which"),
    ],
)
def test_the_config_is_held_against_the_one_in_force(
    tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    station = patient(tmp_path).station
    told = {"file": str(station.file), "sha256": config_hash(station)} | changed
    about = {"station": "bench-1", "config": told}
    assert said in words("config", patient(tmp_path, answers={"about": about}))[-1]


def test_a_port_that_is_not_there_is_wrong(tmp_path: Path) -> None:
    [said] = words("ports", patient(tmp_path, DEVICE.format(port="/dev/none-such")))
    assert said.startswith("wrong: stage1: there is no port /dev/none-such → plug it in")


def test_a_port_that_is_free_is_right(tmp_path: Path, port: str) -> None:
    [said] = words("ports", patient(tmp_path, DEVICE.format(port=port)))
    assert said == f"right: stage1: {port} is there, and free → "


def test_who_holds_a_port_is_named_but_the_agent_may(tmp_path: Path, port: str) -> None:
    who = patient(tmp_path, DEVICE.format(port=port))
    with held(port) as pid:
        [said] = words("ports", who)
        assert said.startswith(f"wrong: stage1: {port} is held by python")
        assert f"(process {pid}) → close it there" in said
        (tmp_path / "state" / "agent.lock").write_text(f"{pid}\n")
        [said] = words("ports", who)
        assert said == f"right: stage1: {port} is there, and the agent has it → "


VISA = "devices: {{dmm1: {{driver: keysight.34460a, address: 'visa://{resource}'}}}}"


def test_a_serial_port_by_its_name_in_visa_is_looked_at_like_any_other(
    tmp_path: Path, port: str
) -> None:
    who = patient(tmp_path, VISA.format(resource=f"ASRL{port}::INSTR"))
    assert words("ports", who) == [f"right: dmm1: {port} is there, and free → "]
    gone = patient(tmp_path, VISA.format(resource="ASRL/dev/none-such::INSTR"))
    assert words("ports", gone)[0].startswith("wrong: dmm1: there is no port /dev/none-such → plug")


def test_the_process_in_which_the_agent_calls_a_vendors_library_is_the_agents(
    tmp_path: Path, port: str
) -> None:
    who = patient(tmp_path, VISA.format(resource=f"ASRL{port}::INSTR"))
    with held(port):  # a process of ours
        assert words("ports", who)[0].startswith(f"wrong: dmm1: {port} is held by ")
        (tmp_path / "state" / "agent.lock").write_text(f"{os.getpid()}\n")
        assert words("ports", who) == [f"right: dmm1: {port} is there, and the agent has it → "]


def test_of_a_serial_port_that_visa_numbers_nothing_is_known_and_that_is_said(
    tmp_path: Path,
) -> None:
    who = patient(tmp_path, VISA.format(resource="ASRL1::INSTR"))
    [said] = words("ports", who)
    assert said.startswith("unknown: dmm1: which port ASRL1::INSTR is, the VISA library alone")
    lan = patient(tmp_path, VISA.format(resource="TCPIP0::192.0.2.7::INSTR"))
    assert words("ports", lan) == ["right: no device is at a serial port of this machine → "]


def test_a_port_that_the_agents_user_may_not_open_is_wrong(
    tmp_path: Path, port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = User(name="labkeeper", uid=54_321, groups=frozenset({54_321}))
    monkeypatch.setattr(ports, "agent_user", lambda _: nobody)
    os.chmod(port, 0o660)
    [said] = words("ports", patient(tmp_path, DEVICE.format(port=port)))
    assert said.startswith(f"wrong: stage1: the agent's user labkeeper may not open {port}")
    assert "sudo usermod -aG " in said


@pytest.mark.parametrize("rule", [False, True])
def test_a_modem_manager_is_doubtful_without_the_rule(
    tmp_path: Path, port: str, *, rule: bool
) -> None:
    (tmp_path / "proc" / "77").mkdir(parents=True)
    (tmp_path / "proc" / "77" / "comm").write_text("ModemManager\n")
    rules = tmp_path / "etc" / "udev" / "rules.d"
    rules.mkdir(parents=True)
    if rule:
        (rules / "72-labkeeper.rules").touch()
    _, said = words("ports", patient(tmp_path, DEVICE.format(port=port)))
    assert said.startswith("right: " if rule else "doubtful: ModemManager runs, and asks each port")


def test_an_adapter_that_waits_too_long_is_doubtful(tmp_path: Path) -> None:
    assert "no USB serial adapter" in words("adapters", patient(tmp_path))[0]
    for name, ms in (("ttyUSB0", "16"), ("ttyUSB1", "1")):
        device = tmp_path / "sys" / "class" / "tty" / name / "device"
        device.mkdir(parents=True)
        (device / "latency_timer").write_text(f"{ms}\n")
    slow, quick = words("adapters", patient(tmp_path))
    assert slow.startswith("doubtful: ttyUSB0 (?) delays each answer by up to 16 ms → ")
    assert quick == "right: ttyUSB1 (?) waits 1 ms → "


@pytest.mark.parametrize(
    ("synced", "said"),
    [
        (True, "right: a time service keeps the clock in step; it is 2026-11-30T00:53:20Z"),
        (False, "doubtful: no time service keeps the clock in step"),
        (None, "unknown: the system does not tell whether the clock is in step"),
    ],
)
def test_the_clock_is_as_the_system_says(tmp_path: Path, said: str, *, synced: bool | None) -> None:
    assert words("clock", patient(tmp_path, synced=synced))[0].startswith(said)


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ("warn: 0, refuse_jobs: 0, stop_measuring: 0", "right: "),
        ("warn: {above}, refuse_jobs: 0, stop_measuring: 0", "doubtful: "),
        ("warn: {above}, refuse_jobs: {above}", "wrong: "),
    ],
)
def test_a_disk_is_held_against_the_marks_of_the_config(
    tmp_path: Path, marks: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.statvfs(tmp_path)
    fake = os.statvfs_result((*real[:2], 1000, 500, 500, *real[5:]))
    monkeypatch.setattr(os, "statvfs", lambda _: fake)
    config = f"disk: {{{marks.format(above=60)}}}"
    room, written = words("disk", patient(tmp_path, config))
    assert room.startswith(said)
    assert "50.0 % of the disk are free" in room
    assert written.startswith("right: ")


def test_a_certificate_tells_its_days(tmp_path: Path) -> None:
    command = ("openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "60",
               "-subj", "/CN=bench-1", "-keyout", tmp_path / "k.pem", "-out", tmp_path / "c.pem")  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    made = (tmp_path / "c.pem").stat().st_mtime
    door = "api: {network: {listen: '0.0.0.0:8443', certificate: c.pem, key: k.pem, hosts: [b]}}"

    def after(days: int) -> str:
        [told] = words("certificates", patient(tmp_path, door, now=made + 86_400 * days))
        return told

    assert after(0).startswith(f"right: api.network.certificate {tmp_path / 'c.pem'} is good for ")
    assert after(40).startswith("doubtful: ")
    assert after(70).startswith("wrong: ")
    assert "ended 10 days ago" in after(70)
    (tmp_path / "c.pem").write_text("none")
    assert "is no certificate" in after(0)
    (tmp_path / "c.pem").unlink()
    assert "there is no file" in after(0)


def test_an_examination_that_hangs_is_left_behind_with_what_it_had_found(tmp_path: Path) -> None:
    release = Event()

    def hangs(_: Patient) -> Iterator[Finding]:
        yield right("so far")
        release.wait(60)

    begun = monotonic()
    report = examine(patient(tmp_path), {"hangs": hangs, "clock": EXAMINATIONS["clock"]}, 0.3)
    release.set()
    assert monotonic() - begun < 5
    assert [it.verdict for it in report["hangs"]] == ["right", "unknown"]
    assert "did not end within 0.3 s" in report["hangs"][1].text
    assert report["clock"][0].verdict == "right"


def test_an_examination_with_a_defect_does_not_hide_the_others(tmp_path: Path) -> None:
    def broken(_: Patient) -> Iterator[Finding]:
        yield from ()
        raise ValueError("a slip")

    report = examine(patient(tmp_path), {"broken": broken, "clock": EXAMINATIONS["clock"]})
    assert "the examination itself failed: ValueError('a slip')" in report["broken"][0].text
    assert report["clock"][0].verdict == "right"


def test_whether_an_agent_runs_is_not_guessed(tmp_path: Path) -> None:
    station = patient(tmp_path).station

    def answers(*_: str, **__: str) -> object:
        return {}

    def silent(*_: str, **__: str) -> object:
        raise NoAgent("no agent answers")

    def refuses(*_: str, **__: str) -> object:
        raise Refused("no")

    assert runs(answers, station) is True
    assert runs(silent, station) is False
    assert runs(refuses, station) is None
    assert runs(silent, None) is None
    lock = station.state / "agent.lock"
    lock.touch()
    with held(str(lock)):  # an agent that starts, ends or hangs
        assert runs(silent, station) is None
    assert runs(silent, station) is False
