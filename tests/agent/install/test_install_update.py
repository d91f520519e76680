"""Versions come, run, go back and are cut off by the power, in a folder that holds a machine."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

import pytest

from agent.install.idle import Busy
from agent.install.root import Root, StepFailed, replace_whole
from agent.install.update import NoWayBack, Update
from agent.install.versions import NoRelease
from tests.agent.install_bench import Machine, PowerCut, bundle, machine

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root installs")


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whenever everything was to be on the disk; a real sync waits for all who use this machine."""
    found: list[str] = []
    monkeypatch.setattr(os, "sync", lambda: found.append("synced"))
    return found


@pytest.fixture
def bench(tmp_path: Path, synced: list[str]) -> Machine:
    return machine(tmp_path / "machine")


def test_a_bundle_becomes_what_runs_and_the_one_before_is_kept(
    bench: Machine, tmp_path: Path
) -> None:
    for version in ("0.1.0", "0.2.0", "0.3.0"):
        bench.update(bundle(tmp_path, version))
        assert bench.runs == version
    assert bench.versions() == ["0.2.0", "0.3.0"]
    assert "install of 0.3.0" in bench.said  # its own files of the station
    bench.rollback()
    assert bench.runs == "0.2.0"
    bench.rollback()  # which is forward again
    assert bench.runs == "0.3.0"


def test_a_version_is_on_the_disk_before_anything_says_that_it_is_whole(
    bench: Machine, tmp_path: Path, synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(os, "sync", lambda: order.append("synced"))

    def noted(path: Path, content: bytes, mode: int) -> None:
        order.append(path.name)
        replace_whole(path, content, mode)

    monkeypatch.setattr("agent.install.update.replace_whole", noted)
    bench.update(bundle(tmp_path, "0.1.0"))
    assert order == ["synced", "release.json"]


def test_scripts_name_their_python_where_the_machine_will_have_it(
    bench: Machine, tmp_path: Path
) -> None:
    bench.update(bundle(tmp_path, "0.1.0"))
    script = bench.folder / "opt/labkeeper/0.1.0/venv/bin/labkeeper"
    assert script.read_text().startswith("#!/opt/labkeeper/0.1.0/venv/bin/python")


def test_the_same_bundle_once_more_changes_nothing(bench: Machine, tmp_path: Path) -> None:
    made = bundle(tmp_path, "0.1.0")
    bench.update(made)
    bench.said.clear()
    bench.update(made)
    assert bench.runs == "0.1.0"
    assert not [line for line in bench.said if line.startswith("make ")]


def test_a_bundle_may_be_one_file(bench: Machine, tmp_path: Path) -> None:
    made = bundle(tmp_path, "0.1.0")
    file = tmp_path / "labkeeper-0.1.0.tar"
    with tarfile.open(file, "w") as archive:
        archive.add(made, made.name)
    bench.update(file)
    assert bench.runs == "0.1.0"


def test_a_version_is_never_changed(bench: Machine, tmp_path: Path) -> None:
    bench.update(bundle(tmp_path / "one", "0.1.0"))
    with pytest.raises(StepFailed, match=r"there is another 0\.1\.0 on this machine"):
        bench.update(bundle(tmp_path / "two", "0.1.0", tables=8))


def test_a_version_that_does_not_take_the_config_is_not_switched_to(
    bench: Machine, tmp_path: Path
) -> None:
    bench.update(bundle(tmp_path, "0.1.0"))
    config = bench.folder / "etc/labkeeper/station.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("name: bench-1\n")
    with pytest.raises(StepFailed, match=r"nothing was switched: .*this key is unknown"):
        bench.update(bundle(tmp_path, "0.2.0", broken="check"))
    assert bench.runs == "0.1.0"


def test_a_version_that_does_not_start_at_all_is_not_switched_to(
    bench: Machine, tmp_path: Path
) -> None:
    bench.update(bundle(tmp_path, "0.1.0"))
    with pytest.raises(StepFailed, match=r"labkeeper --version failed"):
        bench.update(bundle(tmp_path, "0.2.0", broken="--version"))
    assert bench.runs == "0.1.0"
    assert bench.versions() == ["0.1.0"]  # what was begun takes no room


def test_a_dry_run_of_an_update_asks_and_changes_nothing(
    bench: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.update(bundle(tmp_path, "0.1.0"))
    monkeypatch.setattr(Root, "is_live", True)
    bench.said.clear()
    Update(bench.root(dry=True), bench.agent).update(bundle(tmp_path, "0.2.0"))
    assert bench.agent.asked == ["doing"]
    assert "let /opt/labkeeper/current be 0.2.0" in bench.said
    assert (bench.runs, bench.versions()) == ("0.1.0", ["0.1.0"])


@pytest.mark.parametrize("step", range(2, 8))
def test_a_power_cut_leaves_the_old_version_or_the_new_one(
    bench: Machine, tmp_path: Path, step: int
) -> None:
    bench.update(bundle(tmp_path, "0.1.0"))
    newer = bundle(tmp_path, "0.2.0")
    bench.said, bench.cut_before = [], step
    with pytest.raises(PowerCut):
        bench.update(newer)
    assert bench.runs in {"0.1.0", "0.2.0"}
    bench.said, bench.cut_before = [], 0
    bench.update(newer)
    assert bench.runs == "0.2.0"
    bench.rollback()
    assert bench.runs == "0.1.0"


def test_the_steps_that_are_cut_are_all_of_them(bench: Machine, tmp_path: Path) -> None:
    bench.update(bundle(tmp_path, "0.1.0"))
    bench.said.clear()
    bench.update(bundle(tmp_path, "0.2.0"))
    assert (
        len(bench.said) == 7
    )  # the test above cuts before each, the first of which changes nothing


def test_a_version_cut_off_while_it_was_made_counts_as_none(bench: Machine, tmp_path: Path) -> None:
    bench.update(bundle(tmp_path, "0.1.0"))
    half = bench.folder / "opt/labkeeper/0.2.0"
    (half / "venv").mkdir(parents=True)
    shutil.copy(bundle(tmp_path, "0.2.0") / "requirements.txt", half)
    bench.update(tmp_path / "labkeeper-0.2.0")
    assert bench.runs == "0.2.0"
    assert (half / "venv" / "bin" / "labkeeper").exists()


def test_there_is_no_way_back_from_the_first_version(bench: Machine, tmp_path: Path) -> None:
    with pytest.raises(NoWayBack, match="there is no version before this one"):
        bench.rollback()
    bench.update(bundle(tmp_path, "0.1.0"))
    with pytest.raises(NoWayBack, match="there is no version before this one"):
        bench.rollback()


def test_the_way_back_over_changed_tables_needs_the_copy_of_the_database(
    bench: Machine, tmp_path: Path
) -> None:
    bench.update(bundle(tmp_path, "0.1.0", tables=7))
    bench.update(bundle(tmp_path, "0.2.0", tables=8))
    with pytest.raises(NoWayBack, match=r"0\.2\.0 has changed the tables .*--database-restored"):
        bench.rollback()
    assert bench.runs == "0.2.0"
    bench.rollback(restored=True)
    assert bench.runs == "0.1.0"


def test_while_a_job_runs_nothing_is_touched(
    bench: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.update(bundle(tmp_path, "0.1.0"))
    newer = bundle(tmp_path, "0.2.0")
    monkeypatch.setattr(Root, "is_live", True)
    bench.agent.jobs = ["job 20261123-1 (cycle) is running"]
    with pytest.raises(NoWayBack):
        bench.rollback()
    with pytest.raises(Busy, match=r"not now.*\njob 20261123-1 \(cycle\) is running\nwait"):
        bench.update(newer)
    assert bench.versions() == ["0.1.0"]


def test_a_job_that_begins_meanwhile_keeps_the_old_version(
    bench: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.update(bundle(tmp_path, "0.1.0"))
    monkeypatch.setattr(Root, "is_live", True)
    bench.agent.begins = "job 20261123-2 (cycle) is running"
    with pytest.raises(Busy, match="20261123-2"):
        bench.update(bundle(tmp_path, "0.2.0"))
    assert bench.runs == "0.1.0"
    assert bench.agent.asked[-3:] == [
        "hold: labkeeper 0.2.0 is being installed",
        "doing",
        "let go",
    ]


def test_a_bundle_for_other_machines_is_refused(bench: Machine, tmp_path: Path) -> None:
    with pytest.raises(NoRelease, match=r"this bundle is for Python 2\.7, and this is Python 3"):
        bench.update(bundle(tmp_path, "0.1.0", python="2.7"))
    assert not (bench.folder / "opt/labkeeper").exists()
