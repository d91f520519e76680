"""The unit file: systemd understands every line of it, and what it leaves open is little."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from agent import aftermath, app, starting
from agent.cli.commands import command_line
from agent.recording import OPEN_WITHIN_S
from agent.safety.observe_only import ENDS, WITHIN_S

UNIT = Path(__file__).parents[1] / "systemd" / "labkeeper.service"
MOST_EXPOSED = 1.5

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists here, since none is installed where tests run."""
    copy = tmp_path / UNIT.name
    text = re.sub(r"^(Exec\w+)=/opt/\S+", r"\1=/bin/true", UNIT.read_text(), flags=re.MULTILINE)
    copy.write_text(text)
    return copy


def _analyse(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, timeout=20, check=False
    )


@needs_systemd
def test_systemd_has_nothing_to_say_against_the_unit(unit: Path) -> None:
    verdict = _analyse("verify", str(unit))
    assert verdict.stderr == ""  # it ends with 0 even when it warns
    assert verdict.returncode == 0


@needs_systemd
def test_systemd_does_complain_of_a_key_it_does_not_know(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("WatchdogSec=", "WatchdogSecs="))
    assert "WatchdogSecs" in _analyse("verify", str(unit)).stderr


@needs_systemd
def test_the_unit_leaves_little_exposed(unit: Path) -> None:
    threshold = f"--threshold={MOST_EXPOSED * 10:.0f}"
    verdict = _analyse("security", "--offline=true", "--no-pager", threshold, str(unit))
    level = re.search(r"exposure level for \S+ ([\d.]+)", verdict.stdout)
    assert level, verdict.stdout
    assert float(level[1]) <= MOST_EXPOSED
    assert verdict.returncode == 0


@needs_systemd
@pytest.mark.parametrize("line", ["PrivateMounts=yes", "NoNewPrivileges=yes", "ProtectHome=yes"])
def test_a_unit_that_leaves_more_exposed_does_not_pass(unit: Path, line: str) -> None:
    unit.write_text(unit.read_text().replace(f"{line}\n", ""))
    threshold = f"--threshold={MOST_EXPOSED * 10:.0f}"
    assert _analyse("security", "--offline=true", "--no-pager", threshold, str(unit)).returncode


def test_the_unit_tells_readiness_and_feeds_the_watchdog_by_the_agent_itself() -> None:
    text = UNIT.read_text()
    for line in ("Type=notify", "NotifyAccess=main", "WatchdogSec=2", "Restart=always"):
        assert line in text.splitlines()
    assert "ExecReload=/bin/kill -HUP $MAINPID" in text.splitlines()


def test_after_every_end_devices_are_made_safe_and_a_stopped_process_is_killed_for_it() -> None:
    lines = UNIT.read_text().splitlines()
    assert "WatchdogSignal=SIGKILL" in lines
    [after] = [line for line in lines if line.startswith("ExecStopPost=")]
    words = after.split("/labkeeper ")[1].split()
    given = vars(command_line().parse_args([*words[:-1], "/var/lib/labkeeper"]))
    assert (given["runs"], str(given["state"])) == ("safe:make_safe", "/var/lib/labkeeper")
    assert words[-1] == "${STATE_DIRECTORY}"
    assert "StateDirectory=labkeeper" in lines


def seconds(key: str) -> float:
    [line] = [line for line in UNIT.read_text().splitlines() if line.startswith(f"{key}=")]
    return float(line.partition("=")[2])


def test_an_agent_that_waits_for_a_hanging_disk_as_long_as_it_may_is_ready_before_it_is_given_up() -> (
    None
):
    record = 2 * OPEN_WITHIN_S  # the file, then the ledger in it
    before = 2 * aftermath.DISK_WITHIN_S  # what the agent before has left, and the note of that
    devices = starting.DISK_WITHIN_S + app.FIRST_ROUND_S + app.READY_WITHIN_S
    importing = 10.0  # what Python and the web take on a small machine
    assert record + before + devices + importing <= seconds("TimeoutStartSec")


def test_an_end_that_waits_as_long_as_it_may_is_over_before_systemd_kills_it() -> None:
    assert seconds("TimeoutStopSec") >= app.END_WITHIN_S + 1.0


def test_a_crash_loop_observes_before_systemd_gives_the_station_up() -> None:
    """The start after so many ends must be one that systemd still makes, however fast they come."""
    assert seconds("StartLimitBurst") > ENDS
    slowest = seconds("StartLimitIntervalSec") / seconds("StartLimitBurst")
    assert ENDS * slowest <= WITHIN_S  # slower ones than that systemd does not give up
