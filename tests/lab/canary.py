"""What must be secret at an installed station, looked for in everything that it says and writes."""

from __future__ import annotations

import json
import re
import tarfile
from typing import Final

from tests.lab.installed_station import Secrets
from tests.lab.machine import Machine

API: Final = ("curl", "--silent", "--unix-socket", "/run/labkeeper/agent.sock")
DOOR: Final = ("curl", "--silent", "--cacert", "/media/authority.pem")


def try_to_sign_in(machine: Machine, secrets: Secrets) -> None:
    """Have the station show its secret to the provider, which refuses it and says it aloud."""
    jar = ("--cookie", "/media/began", "--cookie-jar", "/media/began")
    origin = ("--header", "Origin: https://localhost:8443")
    begin = "https://localhost:8443/sign-in/provider"
    leads = machine.does(*DOOR, *jar, *origin, "--data", "next=/", begin)
    found = re.search(r"[?&;]state=([\w-]+)", leads)
    assert found, leads
    back = ("--data", f"state={found[1]}&code=anything", f"{begin}/back")
    said = machine.does(*DOOR, *jar, *origin, "--header", "Accept-Language: en", *back)
    assert secrets.login in machine.read("/run/shown").decode()
    assert "does not know this station by its secret" in said, said
    assert secrets.provider not in said


def everything_told(machine: Machine, log: str) -> dict[str, bytes]:
    """What the station says, writes and shows to others, by place."""
    found = {"the log": log.encode(), "heard": machine.read("/run/heard")}
    schema = json.loads(machine.does(*API, "http://labkeeper/api/v1/openapi.json"))
    devices = ("psu1", "printer2", "printer3", "printer4")
    for path, methods in schema["paths"].items():
        for name in devices if "{device}" in path else ("",):
            where = path.replace("{device}", name)
            if "get" in methods and "{" not in where and not where.endswith(("/live", "/stream")):
                page = machine.run(*API, "--max-time", "5", f"http://labkeeper{where}")
                found[where] = page.stdout.encode()
    found["metrics"] = machine.does("curl", "--silent", "http://127.0.0.1:9464/metrics").encode()
    each = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ"
    found["the processes"] = machine.run("sh", "-c", each).stdout.encode()
    assert b"/opt/labkeeper/" in found["the processes"]
    found |= _support_bundle(machine)
    for folder in ("var/lib/labkeeper", "var/log", "tmp"):
        for path in (machine.folder / folder).rglob("*"):
            if path.is_file() and not path.is_symlink() and path.name != "api-token":
                found[str(path)] = path.read_bytes()
    return found


def _support_bundle(machine: Machine) -> dict[str, bytes]:
    """What somebody who helps is sent, with all that may be asked for."""
    everything = ("--with-people", "--with-ledger", "--out", "/media/support.tar.gz")
    machine.does("labkeeper", "support", *everything)
    found = {}
    with tarfile.open(machine.folder / "media/support.tar.gz") as bundle:
        for it in bundle.getmembers():
            if file := bundle.extractfile(it):
                found[f"support: {it.name.partition('/')[2]}"] = file.read()
    wire = {"support: log.txt", "support: config/station.yaml.json", "support: ledger.jsonl"}
    assert wire <= found.keys()
    assert b'"client_secret_file": "oidc"' in found["support: config/station.yaml.json"]
    return found
