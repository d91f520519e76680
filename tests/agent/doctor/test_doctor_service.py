"""What the doctor finds of the service, as systemd and the lock of the state folder tell."""

from __future__ import annotations

from pathlib import Path

from agent.doctor.patient import Patient
from tests.agent.doctor_bench import held, patient, words


def systemd(tmp_path: Path, **shown: str) -> Patient:
    (tmp_path / "run" / "systemd" / "system").mkdir(parents=True)
    told = "".join(f"{name}={value}\n" for name, value in shown.items())
    return patient(tmp_path, output_of=lambda _: told)


def test_a_service_that_runs_and_will_is_right(tmp_path: Path) -> None:
    who = systemd(
        tmp_path, LoadState="loaded", ActiveState="active", SubState="running",
        UnitFileState="enabled", NRestarts="0", DropInPaths="/etc/x.conf",
    )  # fmt: skip
    assert words("unit", who) == [
        "right: labkeeper.service is active (running) → ",
        "right: it starts with the machine → ",
        "right: drop-ins of this station: /etc/x.conf → ",
    ]


def test_a_service_that_has_failed_is_wrong(tmp_path: Path) -> None:
    who = systemd(
        tmp_path, LoadState="loaded", ActiveState="failed", SubState="failed",
        UnitFileState="disabled", NRestarts="5",
    )  # fmt: skip
    failed, disabled, again = words("unit", who)
    assert failed.startswith("wrong: labkeeper.service is failed (failed) → `systemctl start")
    assert disabled == "doubtful: it does not start with the machine → `systemctl enable labkeeper`"
    assert again.startswith("doubtful: systemd had to start it again 5 times")


def test_a_service_that_is_not_there_is_doubtful_and_no_systemd_is_unknown(tmp_path: Path) -> None:
    assert words("unit", patient(tmp_path))[0].startswith("unknown: systemd does not run")
    who = systemd(tmp_path, LoadState="not-found", ActiveState="inactive")
    assert words("unit", who) == [
        "doubtful: there is no service labkeeper.service → `labkeeper install` makes it"
    ]


def test_an_agent_that_holds_its_folder_and_does_not_answer_is_wrong(tmp_path: Path) -> None:
    who = patient(tmp_path, runs=None)
    lock = tmp_path / "state" / "agent.lock"
    lock.touch()
    assert len(words("unit", who)) == 1
    with held(str(lock)) as pid:
        said = words("unit", who)[0]
    assert f"(process {pid}) works with {lock.parent} and does not answer" in said
    assert said.startswith("wrong: ")
