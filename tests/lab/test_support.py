"""`labkeeper support` at a real station that has secrets everywhere, and people."""

from __future__ import annotations

import asyncio
import tarfile
from pathlib import Path

import pytest

from tests.lab.broker import running_broker
from tests.lab.processes import LABKEEPER, Agent, agent, free_port, station

pytestmark = pytest.mark.lab

BROKER, PRINTER, PERSON = "canary-broker-9f2c61", "canary-printer-11d0", "canary person 7d18 horse"
CONFIG = """\
# canary-comment: what the broker's password was before
devices:
  printer1:
    driver: printers.moonraker
    address: "http://127.0.0.1:{port}"
    access: {{key_file: secrets/printer-key}}
"""


async def told(running: Agent, *words: str, given: str = "") -> str:
    """What a command prints. It has to end well."""
    process = await asyncio.create_subprocess_exec(
        *LABKEEPER, "--socket", str(running.socket), *words,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, complaint = await asyncio.wait_for(process.communicate(given.encode()), 30)
    assert process.returncode == 0, complaint.decode()
    return out.decode()


def content(bundle: Path) -> dict[str, str]:
    """The bundle's files by their names."""
    found = {}
    with tarfile.open(bundle) as archive:
        for it in archive.getmembers():
            file = archive.extractfile(it)
            assert file is not None
            found[it.name.partition("/")[2]] = file.read().decode()
    return found


async def test_a_bundle_of_a_station_at_work_holds_no_secret_and_no_name(folder: Path) -> None:
    (folder / "secrets").mkdir()
    (folder / "secrets" / "mqtt-password").write_text(f"{BROKER}\n")
    (folder / "secrets" / "printer-key").write_text(f"{PRINTER}\n")
    async with running_broker(folder / "broker") as broker:
        config = station(folder, CONFIG.format(port=free_port()), broker_port=broker.port)
        who = ", username: bench-1, password_file: secrets/mqtt-password}"
        config = config.replace(f"port: {broker.port}}}", f"port: {broker.port}{who}")
        async with agent(folder, config) as running:
            await running.until_said("mqtt.connected")
            await running.until(lambda it: it["printer1"]["state"] == "offline")
            add = ("user", "add", "anna", "--role", "administrator", "--password-stdin")
            await told(running, *add, given=f"{PERSON}\n")
            said = await told(
                running, "support", "--with-ledger", "--out", str(folder / "bundle.tar.gz")
            )
    assert "A person should look through it before it is sent." in said
    found = content(folder / "bundle.tar.gz")
    token = (folder / "state" / "api-token").read_text().strip()
    for name, text in found.items():
        for secret in (BROKER, PRINTER, PERSON, "canary", token, "argon2", "anna"):
            assert secret not in text, (name, secret)
    names = {"doctor.json", "config/station.yaml.json", "events.jsonl", "wire-printer1.jsonl"}
    assert names | {"metrics.txt", "ledger.jsonl", "about.jsonl"} <= found.keys()
    assert "person-" in found["ledger.jsonl"]
    assert '"password_file": "mqtt-password"' in found["config/station.yaml.json"]
