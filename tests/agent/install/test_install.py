"""A machine becomes a station and stops being one, in a folder where no systemd runs."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from agent.errors import NoPermission
from agent.install import station
from agent.install.idle import Busy
from agent.install.parts import PARTS, first_config
from agent.install.root import Root, StepFailed
from agent.settings import load
from tests.agent.install_bench import Machine, Quiet, machine

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("systemd-sysusers") is None,
    reason="it makes a user in a folder: root and systemd's programs are needed",
)
ROOT = Path(__file__).parents[3]


@pytest.fixture
def bench(tmp_path: Path) -> Machine:
    return machine(tmp_path / "machine")


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and content of each file of a machine."""
    found = [it for it in sorted(folder.rglob("*")) if it.is_file() and not it.is_symlink()]
    return {
        str(it.relative_to(folder)): (stat.S_IMODE(it.stat().st_mode), it.read_bytes())
        for it in found
    }


def test_a_machine_becomes_a_station(bench: Machine) -> None:
    station.install(bench.root())
    etc = bench.folder / "etc"
    for name, path in PARTS.items():
        places = [ROOT / "systemd" / name, ROOT / "config" / name]
        [source] = [it for it in places if it.exists()]
        assert (bench.folder / path[1:]).read_bytes() == source.read_bytes()
    [user] = [it for it in (etc / "passwd").read_text().splitlines() if it.startswith("labkeeper:")]
    assert user.endswith(":/var/lib/labkeeper:/usr/sbin/nologin")
    assert "dialout:x:20:labkeeper" in (etc / "group").read_text().splitlines()
    uid, gid = map(int, user.split(":")[2:4])
    owners = {
        "etc/labkeeper": (0, gid, 0o750),
        "etc/labkeeper/secrets": (0, 0, 0o700),
        "etc/labkeeper/station.yaml": (0, gid, 0o640),
        "var/lib/labkeeper": (uid, gid, 0o750),
    }
    for path, wanted in owners.items():
        found = (bench.folder / path).stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == wanted, path
    command = bench.folder / "usr/local/bin/labkeeper"
    assert str(command.readlink()) == "/opt/labkeeper/current/venv/bin/labkeeper"
    wanted_at_boot = etc / "systemd/system/multi-user.target.wants/labkeeper.service"
    assert wanted_at_boot.is_symlink()
    assert f"describe the devices in {etc}/labkeeper/station.yaml and" in bench.said[-1]


def test_the_config_to_start_from_is_right_and_named_after_the_machine(tmp_path: Path) -> None:
    file = tmp_path / "station.yaml"
    file.write_bytes(first_config("Bench_3.lab.example"))
    assert load(file).name == "bench-3"
    file.write_bytes(first_config("실험실"))
    assert load(file).name == "station"


def test_a_second_time_changes_nothing(bench: Machine) -> None:
    station.install(bench.root())
    before, bench.said[:] = files(bench.folder), []
    station.install(bench.root())
    assert files(bench.folder) == before
    assert not [line for line in bench.said if line.startswith("write ")]


def test_a_dry_run_says_the_steps_and_does_none(bench: Machine) -> None:
    before = files(bench.folder)
    station.install(bench.root(dry=True))
    dry = bench.said.copy()
    assert files(bench.folder) == before
    bench.said.clear()
    station.install(bench.root())
    assert bench.said == dry


def test_what_a_person_has_changed_is_never_overwritten(bench: Machine) -> None:
    station.install(bench.root())
    rules = bench.folder / PARTS["labkeeper.rules"][1:]
    ours = rules.read_bytes()
    config = bench.folder / "etc/labkeeper/station.yaml"
    rules.write_bytes(b"# mine\n")
    config.write_bytes(b"name: bench-9\n")
    station.install(bench.root())
    assert rules.read_bytes() == b"# mine\n"
    assert config.read_bytes() == b"name: bench-9\n"
    assert rules.with_name(f"{rules.name}.new").read_bytes() == ours
    assert any("was changed here; compare it with" in line for line in bench.said)
    station.uninstall(bench.root(), Quiet())
    assert rules.read_bytes() == b"# mine\n"
    assert not rules.with_name(f"{rules.name}.new").exists()


def test_an_old_file_that_nobody_has_changed_is_brought_up_to_date(
    bench: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(station, "part", lambda name: b"# an old one\n")
    station.install(bench.root())
    monkeypatch.undo()
    station.install(bench.root())
    rules = bench.folder / PARTS["labkeeper.rules"][1:]
    assert rules.read_bytes() == (ROOT / "systemd" / "labkeeper.rules").read_bytes()


def test_it_goes_away_and_leaves_config_secrets_records_and_user(bench: Machine) -> None:
    station.install(bench.root())
    (bench.folder / "etc/labkeeper/secrets/mqtt-password").write_text("x\n")
    (bench.folder / "var/lib/labkeeper/station.db").write_bytes(b"records")
    bench.said.clear()
    station.uninstall(bench.root(), Quiet())
    assert [line for line in bench.said if line.startswith("kept: ")] == [
        "kept: /etc/labkeeper; delete it when nobody needs it",
        "kept: /var/lib/labkeeper; delete it when nobody needs it",
        "kept: the user and the group labkeeper, whose files they are",
    ]
    left = {name for name in files(bench.folder) if "labkeeper" in name}
    assert left == {
        "etc/labkeeper/secrets/mqtt-password",
        "etc/labkeeper/station.example.yaml",
        "etc/labkeeper/station.schema.json",
        "etc/labkeeper/station.yaml",
        "var/lib/labkeeper/station.db",
    }
    assert "labkeeper:" in (bench.folder / "etc/passwd").read_text()
    assert not (bench.folder / "opt/labkeeper").exists()
    station.uninstall(bench.root(), Quiet())  # and once more


def test_it_does_not_go_away_under_a_job(bench: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    station.install(bench.root())
    before = files(bench.folder)
    monkeypatch.setattr(Root, "is_live", True)
    with pytest.raises(Busy, match=r"job 20261123-1 \(cycle\) is running"):
        station.uninstall(bench.root(), Quiet(jobs=["job 20261123-1 (cycle) is running"]))
    assert files(bench.folder) == before


def test_a_program_that_is_missing_is_said_with_its_name(
    bench: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("agent.install.root.MORE_PATHS", "/nowhere")
    with pytest.raises(StepFailed, match=r"^systemd-sysusers is not installed here$"):
        station.install(bench.root())


def test_a_folder_that_can_not_be_written_is_said(bench: Machine) -> None:
    (bench.folder / "etc/udev").write_text("in the way")
    with pytest.raises(StepFailed, match=r"72-labkeeper\.rules can't be changed: .*directory"):
        station.install(bench.root())


def test_a_machine_that_is_not_there_is_not_made_by_a_slip_of_the_pen(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match=r"there is no folder .*/mnt/imgae: --root names one"):
        station.install(Root(folder=tmp_path / "mnt/imgae", tell=print))
    assert not (tmp_path / "mnt").exists()


def test_only_root_may_change_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    said: list[str] = []
    with pytest.raises(NoPermission, match="put sudo before it"):
        station.install(Root(tell=said.append))
    assert said == []


def test_the_command_needs_no_library_and_nothing_of_the_agent() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from agent.cli.commands import run\n"
        "run(['install', '--dry-run', '--root', '/tmp'])\n"
        "import json; json.dump(sorted(sys.modules), sys.stderr)\n"
    )
    command = [sys.executable, "-I", "-S", "-c", code, str(ROOT)]  # -S: without site-packages
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 0, ended.stderr
    loaded = {name for name in json.loads(ended.stderr) if name.startswith(("agent.", "drivers"))}
    assert {name.split(".")[1] for name in loaded} <= {"cli", "errors", "install", "languages"}
    assert "write /etc/systemd/system/labkeeper.service" in ended.stdout
