"""Secrets that the config names: files beside it, or credentials that systemd hands over."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.settings import load, missing
from agent.settings.secret_files import secret_file

CONFIG = """\
name: bench-1
mqtt: {host: broker.lab.example, username: bench-1, password_file: secrets/mqtt-password}
api:
  network:
    listen: 0.0.0.0:8443
    certificate: tls/bench-1.crt
    key: secrets/bench-1.key
    hosts: [bench-1.lab.example]
devices:
  printer2:
    driver: printers.moonraker
    address: http://192.0.2.40:7125
    access: {key_file: secrets/printer2-key}
  printer3:
    driver: printers.prusalink
    address: http://192.0.2.41
    access: {user: maker, password_file: secrets/printer3-password}
"""
SECRETS = ("mqtt-password", "bench-1.key", "printer2-key", "printer3-password")


def named(file: Path) -> list[Path | None]:
    """Every file of a secret that the agent of this config would open."""
    station = load(file)
    assert station.mqtt is not None
    assert station.api.network is not None
    key, password = (station.devices[name].access for name in ("printer2", "printer3"))
    assert key is not None
    assert password is not None
    files = (station.mqtt.password_file, station.api.network.key)
    return [*files, key.key_file, password.password_file]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    file = tmp_path / "etc" / "station.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    return file


def test_every_secret_is_the_credential_that_systemd_made_of_its_file(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SECRETS:
        (tmp_path / f"secrets_{name}").write_text("x\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert named(config) == [tmp_path / f"secrets_{name}" for name in SECRETS]
    told = list(missing(load(config)))
    assert [text for text in told if "certificate" not in text] == []


def test_without_systemd_every_secret_is_the_file_beside_the_config(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert named(config) == [config.parent / "secrets" / name for name in SECRETS]


def test_what_is_no_credential_is_looked_for_beside_the_config(tmp_path: Path) -> None:
    given = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert secret_file(Path("/etc/lab"), Path("secrets/key"), given) == Path("/etc/lab/secrets/key")


def test_an_absolute_path_is_never_taken_for_a_credential(tmp_path: Path) -> None:
    (tmp_path / "_srv_key").write_text("x\n")
    given = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert secret_file(Path("/etc/lab"), Path("/srv/key"), given) == Path("/srv/key")
