"""A station that was installed from a bundle, on a machine whose systemd runs it as on a bench."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme

from tests.agent.install_bench import seal
from tests.drivers.visa_bench import BACKEND
from tests.lab.machine import Machine
from tests.pages import snippets

ROOT = Path(__file__).parents[2]
WHEELS = ROOT / ".cache" / "wheels"
PYTHON = "import sys; print('%d.%d' % sys.version_info[:2])"
PRINTERS = {"printer2": "moonraker", "printer3": "prusalink", "printer4": "octoprint"}
RECIPE = """\
name: rest
version: "1.0"
title: {en: Rest}
parameters: {long: {type: number, unit: s, low: 1, high: 600, default: 300, title: {en: How long}}}
devices: {supply: {needs: [output], device: psu1}}
steps:
  - measure: {at_rest: {value: supply.output, equals: false}}
  - wait: =long s
"""
BROKER = """\
listener 1883 127.0.0.1
allow_anonymous false
password_file /etc/broker/passwords
set_tcp_nodelay true
user root
"""
PROVIDER_PORT = 8180
BENCH = "/opt/labkeeper/current/venv/bin/python"


@dataclass(frozen=True)
class Secrets:
    """What must be nowhere but where it was put. Each is like nothing else on the machine."""

    broker: str = "canary-broker-9f2c61"
    person: str = "canary person 7d18 horse"
    provider: str = "canary-provider-40be77"
    printers: tuple[tuple[str, str], ...] = ()
    tls: str = ""

    def all(self) -> dict[str, str]:
        """Each by what it is for."""
        return {
            "the broker": self.broker,
            "a person": self.person,
            "the provider": self.provider,
            "the provider, as it is sent": self.login,
            "the TLS key": self.tls,
            **dict(self.printers),
        }

    @property
    def login(self) -> str:
        """How the station shows the provider who it is, without the padding."""
        return base64.b64encode(f"bench-1:{self.provider}".encode()).decode().rstrip("=")


def bundle_of(folder: Path, version: str) -> Path:
    """What scripts/release makes of this checkout, when it is called so."""
    python = subprocess.check_output(["/usr/bin/python3", "-c", PYTHON], text=True).strip()
    options = ("--python", python, "--wheels", str(WHEELS), "--into", str(folder))
    command = ["scripts/release", "--version", version, *options]
    # The libraries are fetched once; without them here the second try asks for them.
    ended = _tried(command, PIP_NO_INDEX="1")
    if ended.returncode != 0:
        ended = _tried(command)
    assert ended.returncode == 0, ended.stderr
    [made] = folder.glob(f"labkeeper-{version}-linux-*.tar")
    return made


def _tried(command: list[str], **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **more}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def called(bundle: Path, old: str, new: str) -> Path:
    """The same bundle under another version, in less time than making it anew takes."""
    folder = bundle.parent / "anew"
    with tarfile.open(bundle) as archive:
        archive.extractall(folder, filter="data")
    made = (folder / f"labkeeper-{old}").rename(folder / f"labkeeper-{new}")
    [wheel] = made.glob(f"wheels/labkeeper-{old}-*.whl")
    before = hashlib.sha256(wheel.read_bytes()).hexdigest()
    renamed = wheel.with_name(wheel.name.replace(old, new))
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(renamed, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if ".dist-info/" in name:
                content = content.replace(old.encode(), new.encode())
            target.writestr(name.replace(f"labkeeper-{old}", f"labkeeper-{new}"), content)
    wheel.unlink()
    after = hashlib.sha256(renamed.read_bytes()).hexdigest()
    for file in (made / "requirements.txt", made / "release.json"):
        text = file.read_text().replace(before, after)
        text = text.replace(f"labkeeper=={old}", f"labkeeper=={new}")
        file.write_text(text.replace(f'"version": "{old}"', f'"version": "{new}"'))
    seal(made)
    path = bundle.with_name(bundle.name.replace(old, new))
    with tarfile.open(path, "w") as archive:
        archive.add(made, made.name)
    shutil.rmtree(folder)
    return path


def as_printed(machine: Machine, page: str, title: str, given: str = "") -> str:
    """Type the commands of a page of the docs, where the bundles are, as root; what they say."""
    [block] = [it.text for it in snippets(page) if it.title == title]
    commands = block.replace("sudo ", "")  # root needs none
    return machine.does("sh", "-e", "-c", f"umask 077; cd /media\n{commands}", given=given)


def furnish(machine: Machine) -> Secrets:
    """Put a room of simulators, a broker and the config of all of it on an installed machine."""
    for module in BACKEND.glob("*.py"):  # a vendor's VISA library, which gets a process of its own
        machine.write(f"/opt/vendor/{module.name}", module.read_bytes())
    # A machine that runs many tests at once can't answer within the watchdog's two seconds.
    vendor = "[Service]\nEnvironment=PYTHONPATH=/opt/vendor\nWatchdogSec=60\n"
    machine.write("/etc/systemd/system/labkeeper.service.d/vendor.conf", vendor)
    machine.does("systemctl", "daemon-reload")
    machine.write("/etc/broker/mosquitto.conf", BROKER)
    machine.does("install", "--directory", "--owner=labkeeper", "/run/room")
    # As the agent's user, so that its ports are the agent's, as udev makes those of a bench.
    room = ("--uid=labkeeper", BENCH, "-I", "-m", "simulators", "--json", "--dir", "/run/room")
    machine.serves("room", *room, into="/run/room.json")
    machine.until("cat", "/run/room.json", says='"control"')
    found = json.loads(machine.read("/run/room.json"))
    secrets = _hide(machine, found["keys"])
    for user, password in (("bench-1", secrets.broker), ("witness", "witness")):
        words = ("-b", "/etc/broker/passwords", user, password)
        (machine.folder / "etc/broker/passwords").touch(0o600)
        machine.does("mosquitto_passwd", *words)
    machine.serves("broker", "mosquitto", "-c", "/etc/broker/mosquitto.conf")
    ear = "mosquitto_sub -h 127.0.0.1 -u witness -P witness -t '#' -v"
    machine.until("sh", "-c", f"{ear} -E && echo there", says="there")
    machine.serves("ear", "sh", "-c", ear, into="/run/heard")
    machine.write("/etc/provider.py", (ROOT / "tests/lab/echoing_provider.py").read_bytes())
    provider = ("/usr/bin/python3", "/etc/provider.py", str(PROVIDER_PORT), "/run/shown")
    machine.serves("provider", *provider)
    machine.write("/etc/labkeeper/station.yaml", _config(found["devices"]))
    machine.write("/etc/labkeeper/recipes/rest.yaml", RECIPE)
    mood = "/var/lib/labkeeper/mood"  # of the VISA library: a good one
    machine.does("install", "--owner=labkeeper", "/dev/null", mood)
    return secrets


def _hide(machine: Machine, keys: dict[str, str]) -> Secrets:
    folder = "/etc/labkeeper/secrets"
    authority = trustme.CA()
    certificate = authority.issue_cert("bench-1.lab.example", "localhost")
    key = certificate.private_key_pem.bytes()
    made = Secrets(printers=tuple(keys.items()), tls=key.decode().splitlines()[2])
    as_printed(machine, "install.md", "secret", given=f"{made.broker}\n")
    machine.write(f"{folder}/bench-1.key", key, 0o600)
    machine.write("/etc/labkeeper/tls/bench-1.crt", certificate.cert_chain_pems[0].bytes())
    machine.write("/media/authority.pem", authority.cert_pem.bytes())
    for name, value in (*keys.items(), ("oidc", made.provider)):
        machine.write(f"{folder}/{name}", f"{value}\n", 0o600)
    return made


def _config(devices: dict[str, dict[str, Any]]) -> str:
    def at(name: str, kind: str = "tcp") -> str:
        return ":".join(map(str, devices[name][kind]))

    host, port = devices["dmm1"]["tcp"]
    visa = f"visa://TCPIP0::{host}::{port}::SOCKET?library=/var/lib/labkeeper/mood@sleepy"
    access = {
        "printer2": "key_file: secrets/printer2",
        "printer3": "user: maker, password_file: secrets/printer3",
        "printer4": "key_file: secrets/printer4",
    }
    network = "".join(
        f'  {name}: {{driver: printers.{kind}, address: "http://{at(name, "http")}", '
        f"simulated: true, access: {{{access[name]}}}}}\n"
        for name, kind in PRINTERS.items()
    )
    return f"""\
name: bench-1
mqtt: {{host: 127.0.0.1, username: bench-1, password_file: secrets/mqtt-password}}
api:
  network:
    listen: 0.0.0.0:8443
    certificate: tls/bench-1.crt
    key: secrets/bench-1.key
    hosts: [bench-1.lab.example, localhost]
  oidc:
    issuer: http://127.0.0.1:{PROVIDER_PORT}
    client_id: bench-1
    client_secret_file: secrets/oidc
    roles: {{lab-technicians: technician}}
devices:
  psu1: {{driver: siglent.spd1000x, address: "tcp://{at("psu1")}", simulated: true, on_shutdown: make_safe}}
  dmm1: {{driver: keysight.34460a, address: "{visa}", simulated: true}}
  oven1: {{driver: autonics.tk4, address: "modbus+tcp://{at("oven1")}?unit=1", simulated: true}}
  printer1: {{driver: printers.marlin, address: "serial:///run/room/printer1", simulated: true}}
  stage1: {{driver: motion.grbl, address: "serial:///run/room/stage1", simulated: true}}
{network}"""


def states(machine: Machine) -> dict[str, str]:
    """How each device is."""
    with suppress(ValueError):
        found = json.loads(machine.run("labkeeper", "devices", "--json").stdout)
        if isinstance(found, list):  # else it says why there is none
            return {it["device"]: it["state"] for it in found}
    return {}
