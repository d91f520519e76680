"""The provider of sign-ins in config: as the docs show it, and what stands in its way."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.settings import Station, load, missing
from drivers import Role
from tests.pages import snippets

[SHOWN] = [it.text for it in snippets("people.md") if "oidc:" in it.text]


def loaded(folder: Path, text: str) -> Station:
    file = folder / "station.yaml"
    file.write_text(f"name: bench-1\n{text}", encoding="utf-8")
    return load(file)


def write_secret(folder: Path) -> None:
    (folder / "secrets").mkdir()
    (folder / "secrets" / "oidc").write_text("secret\n")


def test_what_the_docs_show_is_taken_with_the_secret_beside_the_config(tmp_path: Path) -> None:
    station = loaded(tmp_path, SHOWN)
    oidc = station.api.oidc
    assert oidc
    assert oidc.roles["lab-engineers"] is Role.ENGINEER
    assert oidc.client_secret_file == tmp_path / "secrets" / "oidc"
    [said] = missing(station)
    assert said.endswith("secrets/oidc here now: write the secret there")
    write_secret(tmp_path)
    assert list(missing(station)) == []


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://login.lab.example/realms/lab", "can be read and answered by others"),
        ("http://192.0.2.7", "can be read and answered by others"),
        ("ftp://login.lab.example", "can be read and answered by others"),
        ("login.lab.example", "is not an address"),
        ("https://", "is not an address"),
        ("https://user:word@login.lab.example", "is not an address"),
        ("https://login.lab.example?x=1", "is not an address"),
        ("https://login.lab.example:port", "is not an address"),
    ],
)
def test_an_issuer_is_behind_tls(tmp_path: Path, address: str, said: str) -> None:
    text = SHOWN.replace("https://login.lab.example/realms/lab", f'"{address}"')
    with pytest.raises(ConfigError, match=rf"station\.yaml:4:\d+: api\.oidc\.issuer: .*{said}"):
        loaded(tmp_path, text)


@pytest.mark.parametrize("address", ["http://127.0.0.1:9000", "http://localhost", "http://[::1]:1"])
def test_or_on_this_very_machine(tmp_path: Path, address: str) -> None:
    text = SHOWN.replace("https://login.lab.example/realms/lab", f'"{address}"')
    oidc = loaded(tmp_path, text).api.oidc
    assert oidc
    assert oidc.issuer == address


def test_a_secret_never_stands_in_the_config(tmp_path: Path) -> None:
    text = SHOWN.replace("roles_claim", "client_secret: hunter2\n    roles_claim")
    with pytest.raises(ConfigError, match=r"api\.oidc\.client_secret: there is no such key"):
        loaded(tmp_path, text)


def test_a_role_that_is_none_and_no_role_at_all_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'chef' is not a role"):
        loaded(tmp_path, SHOWN.replace("administrator", "chef"))
    lines = [it for it in SHOWN.splitlines() if not it.startswith("      ")]
    with pytest.raises(ConfigError, match=r"api\.oidc\.roles"):
        loaded(tmp_path, "\n".join(lines).replace("roles:", "roles: {}"))


def test_a_credential_of_the_service_is_found_where_systemd_puts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [said] = missing(loaded(tmp_path, SHOWN))
    assert "there is no file" in said
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "given"))
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "secrets_oidc").write_text("secret\n")
    station = loaded(tmp_path, SHOWN)
    assert station.api.oidc
    assert station.api.oidc.client_secret_file == tmp_path / "given" / "secrets_oidc"
    assert not list(missing(station))


def test_what_is_not_installed_is_told_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_secret(tmp_path)
    monkeypatch.setattr("agent.settings.oidc.find_spec", lambda name: None)
    [said] = missing(loaded(tmp_path, SHOWN))
    assert said.endswith("needs authlib: install labkeeper[oidc]")
