"""A station from a bundle under a real systemd: hardened, with its secrets, updated and taken away.

Where no container can be started this is skipped, with the reason.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest

from tests.drivers.slicer import sliced
from tests.drivers.tower import Tower
from tests.lab.canary import API, everything_told, try_to_sign_in
from tests.lab.installed_station import Secrets, as_printed, bundle_of, called, furnish, states
from tests.lab.machine import Machine, NoMachine, machine
from tests.pages import ROOT

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

OLD, NEW = "0.1.0", "0.1.1"
EIGHT = {"psu1", "dmm1", "oven1", "printer1", "stage1", "printer2", "printer3", "printer4"}
SERVICE = ("systemctl", "show", "labkeeper", "--value", "--property")
PROBE = """
import ctypes, json, mmap, os, socket, time
libc = ctypes.CDLL(None, use_errno=True)
def tried(act):
    try:
        return "denied" if act() == -1 else "done"
    except (OSError, PermissionError):
        return "denied"
print(json.dumps({
    "memory": tried(lambda: mmap.mmap(-1, 4096, prot=7) and 0),
    "packets": tried(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()),
    "namespace": tried(lambda: libc.unshare(0x00020000)),
    "clock": tried(lambda: time.clock_settime(time.CLOCK_REALTIME, time.time())),
    "realtime": tried(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))),
    "etc": tried(lambda: open("/etc/probe", "w").close()),
}))
"""


@dataclass
class Installed:
    """The machine, and what must be secret there."""

    machine: Machine
    secrets: Secrets

    @property
    def agent(self) -> str:
        """The number of the agent's process, there."""
        return self.machine.does(*SERVICE, "MainPID").strip()

    def until_ready(self) -> None:
        end = time.monotonic() + 40
        while (found := states(self.machine)) != dict.fromkeys(EIGHT, "ready"):
            assert time.monotonic() < end, (found, self.log())
            Event().wait(0.3)

    def log(self) -> str:
        return self.machine.does("journalctl", "--no-pager", "--output=cat", "--unit=labkeeper")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Installed]:
    try:
        with machine(tmp_path / "root") as running:
            called(bundle_of(tmp_path / "root/media", OLD), OLD, NEW)
            said = as_printed(running, "install.md", "install")
            assert "next: describe the devices in /etc/labkeeper/station.yaml" in said
            running.does("systemctl", "start", "labkeeper")  # with the first config, and no secret
            running.does("systemctl", "stop", "labkeeper")
            yield Installed(running, furnish(running))
    except NoMachine as why:
        pytest.skip(str(why))


def test_the_life_of_a_station_from_its_bundle_to_its_end(bench: Installed) -> None:
    """One test, because each step begins where the one before has ended."""
    for step in (
        the_bundle_lists_every_library_with_its_hash,
        it_starts_as_a_service_with_every_kind_of_device,
        nothing_of_the_unit_is_given_up_on_the_way,
        from_where_it_stands_only_its_own_folders_can_be_written,
        it_reads_sets_and_keeps_people_and_files_under_these_limits,
        a_person_comes_in_by_the_door_with_the_key_that_only_root_can_read,
        the_provider_of_sign_ins_is_shown_the_secret_that_only_root_can_read,
        what_a_kill_leaves_energised_is_made_safe_under_the_same_limits,
        no_secret_is_anywhere_but_where_it_was_put,
        each_limit_of_the_unit_bites_here,
        it_is_not_updated_under_a_job_and_then_it_is_and_goes_back,
        a_version_that_does_not_start_gives_way_to_the_one_before,
        udev_takes_every_line_of_the_rules,
        it_goes_away_and_leaves_what_was_recorded,
    ):
        step(bench)


def the_bundle_lists_every_library_with_its_hash(bench: Installed) -> None:
    folder = bench.machine.folder / f"media/labkeeper-{OLD}"
    form = json.loads((folder / "sbom.cdx.json").read_text())
    listed = [form["metadata"]["component"], *form["components"]]
    hashes = {it["content"] for one in listed for it in one["hashes"]}
    wheels = {hashlib.sha256(it.read_bytes()).hexdigest() for it in folder.glob("wheels/*.whl")}
    assert (form["bomFormat"], form["specVersion"]) == ("CycloneDX", "1.6")
    assert hashes == wheels
    assert form["metadata"]["component"]["name"] == "labkeeper"
    needed = {it["ref"]: it.get("dependsOn", []) for it in form["dependencies"]}
    assert any(it.startswith("pyserial==") for it in needed[f"labkeeper=={OLD}"])


def it_starts_as_a_service_with_every_kind_of_device(bench: Installed) -> None:
    assert bench.machine.does("systemctl", "is-enabled", "labkeeper").strip() == "enabled"
    said = as_printed(bench.machine, "install.md", "start")
    assert "ok: 8 devices" in said
    assert "siglent.spd1000x" in said
    bench.until_ready()
    bench.machine.until("cat", "/run/heard", says="lab/v1/bench-1/status")


def nothing_of_the_unit_is_given_up_on_the_way(bench: Installed) -> None:
    status = bench.machine.does("cat", f"/proc/{bench.agent}/status")
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert facts["Seccomp"] == "2"  # a filter
    assert facts["NoNewPrivs"] == "1"
    assert {facts[it] for it in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
    user = bench.machine.does("id", "--user", "labkeeper").strip()
    assert set(facts["Uid"].split()) == {user}
    said = bench.machine.does("systemctl", "show", "labkeeper")
    for line in ("ProtectSystem=strict", "MemoryDenyWriteExecute=yes", "PrivateMounts=yes"):
        assert line in said.splitlines()


def from_where_it_stands_only_its_own_folders_can_be_written(bench: Installed) -> None:
    where = ("nsenter", "--target", bench.agent, "--mount", "--")
    for place in ("/etc/x", "/usr/x", "/opt/labkeeper/x", "/srv/x", "/var/x"):
        assert bench.machine.run(*where, "touch", place).returncode != 0, place
    bench.machine.does(*where, "touch", "/var/lib/labkeeper/probe")


def it_reads_sets_and_keeps_people_and_files_under_these_limits(bench: Installed) -> None:
    labkeeper = bench.machine.does
    assert json.loads(labkeeper("labkeeper", "read", "dmm1", "--fresh", "--json"))  # a child's
    assert "psu1.voltage: 5 V" in labkeeper("labkeeper", "set", "psu1.voltage", "5")
    people = ("labkeeper", "user", "add", "anna", "--role", "administrator", "--password-stdin")
    labkeeper(*people, given=f"{bench.secrets.person}\n")  # argon2
    bench.machine.write("/media/part.gcode", sliced("PrusaSlicer", Tower(layers=2, facets=12)))
    labkeeper("labkeeper", "files", "add", "/media/part.gcode")  # examined in a child
    assert "part.gcode" in labkeeper("labkeeper", "files")


def a_person_comes_in_by_the_door_with_the_key_that_only_root_can_read(
    bench: Installed,
) -> None:
    body = json.dumps({"name": "anna", "password": bench.secrets.person})
    bench.machine.write("/media/who.json", body, 0o600)
    door = ("curl", "--silent", "--cacert", "/media/authority.pem", "--cookie-jar", "/media/jar")
    told = ("--header", "Content-Type: application/json", "--data", "@/media/who.json")
    origin = ("--header", "Origin: https://localhost:8443")
    page = "https://localhost:8443/api/v1/session"
    said = bench.machine.does(*door, *told, *origin, page)
    assert json.loads(said)["name"] == "anna", said


def the_provider_of_sign_ins_is_shown_the_secret_that_only_root_can_read(bench: Installed) -> None:
    try_to_sign_in(bench.machine, bench.secrets)


def what_a_kill_leaves_energised_is_made_safe_under_the_same_limits(bench: Installed) -> None:
    assert "psu1.output: on" in bench.machine.does("labkeeper", "set", "psu1.output", "true")
    bench.machine.does("kill", "-9", bench.agent)
    unit = ("journalctl", "--no-pager", "--output=cat", "--unit=labkeeper")
    assert "psu1: made safe: output off" in bench.machine.until(*unit, says="psu1: made safe")
    bench.until_ready()
    found = json.loads(bench.machine.does("labkeeper", "read", "psu1.output", "--json"))
    assert found["psu1.output"]["value"] is False


def no_secret_is_anywhere_but_where_it_was_put(bench: Installed) -> None:
    made = bench.machine.does("labkeeper", "token", "add", "night", "--scope", "read", "--json")
    keys = {
        "a token": json.loads(made)["token"],
        "a session": bench.machine.read("/media/jar").decode().split()[-1],
        "the token of the API": bench.machine.read("/var/lib/labkeeper/api-token").decode().strip(),
    }
    found = everything_told(bench.machine, bench.log())
    assert len(found) > 40  # pages, processes, files
    for secret, text in {**bench.secrets.all(), **keys}.items():
        assert len(text) > 12
        assert [place for place, it in found.items() if text.encode() in it] == [], secret
    hidden = b"".join(
        bench.machine.read(f"/etc/labkeeper/secrets/{name}")
        for name in bench.machine.does("ls", "/etc/labkeeper/secrets").split()
    )
    assert bench.secrets.broker.encode() in hidden  # what is looked for can be found


def each_limit_of_the_unit_bites_here(bench: Installed) -> None:
    """The control: were such limits not in force here, the tests above would prove nothing."""
    probe = ("/usr/bin/python3", "-c", PROBE)
    assert json.loads(bench.machine.does(*probe)) == dict.fromkeys(
        ("memory", "packets", "namespace", "clock", "realtime", "etc"), "done"
    )
    unit = (ROOT / "systemd/labkeeper.service").read_text()
    properties = re.findall(
        r"^((?:Protect|Restrict|System|Memory|Lock|NoNew|Cap)\w+=.*)$", unit, re.M
    )
    limits = [f"--property={it}" for it in properties if not it.startswith("MemoryMax")]
    within = ("systemd-run", "--quiet", "--wait", "--pipe", *limits)
    assert set(json.loads(bench.machine.does(*within, *probe)).values()) == {"denied"}
    usb = "import libusb_package; print(libusb_package.get_libusb1_backend())"
    said = bench.machine.does(*within, "/opt/labkeeper/current/venv/bin/python", "-I", "-c", usb)
    assert "libusb1" in said  # which makes its calls through ctypes


def it_is_not_updated_under_a_job_and_then_it_is_and_goes_back(bench: Installed) -> None:
    labkeeper = bench.machine.does
    job = json.loads(labkeeper("labkeeper", "job", "start", "rest", "--json"))["job"]
    bench.machine.until("labkeeper", "job", "show", job, says="running")
    refused = bench.machine.run("labkeeper", "update", f"/media/labkeeper-{NEW}-linux-x86_64.tar")
    assert refused.returncode == 2
    assert f"job {job} (rest) is running" in refused.stderr
    assert labkeeper("ls", "/opt/labkeeper").split() == [OLD, "current", "installed.json"]
    labkeeper("labkeeper", "job", "stop", job)
    as_printed(bench.machine, "update.md", "update")
    assert _runs(bench) == NEW
    as_printed(bench.machine, "update.md", "rollback")
    assert _runs(bench) == OLD
    assert OLD in labkeeper("labkeeper", "--version")
    held = json.loads(labkeeper("labkeeper", "queue", "list", "--json"))["held"]
    assert held is None  # the update let it go again


def _runs(bench: Installed) -> str:
    """The version that the agent itself says it is."""
    bench.until_ready()
    return str(json.loads(bench.machine.does(*API, "http://labkeeper/api/v1/station"))["version"])


def a_version_that_does_not_start_gives_way_to_the_one_before(bench: Installed) -> None:
    bench.machine.does("labkeeper", "rollback")  # which is forward now
    package = bench.machine.folder / f"opt/labkeeper/{OLD}/venv/lib"
    [app] = package.glob("python3*/site-packages/agent/app.py")
    whole = app.read_text()
    app.write_text("raise SystemExit('broken')\n")
    refused = bench.machine.run("labkeeper", "rollback")
    app.write_text(whole)
    assert refused.returncode == 2
    assert f"{OLD} did not start:" in refused.stderr
    assert refused.stderr.strip().endswith(f"{NEW} runs again")
    assert _runs(bench) == NEW


def udev_takes_every_line_of_the_rules(bench: Installed) -> None:
    port = "/sys/class/tty/ttyS0"
    if bench.machine.run("test", "-e", port).returncode or not Path("/usr/bin/udevadm").exists():
        return  # no serial port here that a rule could be tried with
    ended = bench.machine.run("udevadm", "test", port)
    said = ended.stdout + ended.stderr
    assert "/etc/udev/rules.d/72-labkeeper.rules" in said
    assert not re.findall(r"72-labkeeper\.rules:\d+ (?!GROUP|MODE).*", said)
    assert "ID_MM_PORT_IGNORE=1" in said


def it_goes_away_and_leaves_what_was_recorded(bench: Installed) -> None:
    said = bench.machine.does("labkeeper", "uninstall")
    assert "kept: /var/lib/labkeeper; delete it when nobody needs it" in said
    assert bench.machine.run("systemctl", "cat", "labkeeper").returncode != 0
    assert not (bench.machine.folder / "opt/labkeeper").exists()
    assert (bench.machine.folder / "var/lib/labkeeper/station.db").exists()
    assert (bench.machine.folder / "etc/labkeeper/secrets/mqtt-password").exists()
