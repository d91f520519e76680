"""The door to other machines in config: as the docs show it, and what stands in its way."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.settings import Station, load, missing
from tests.pages import snippets

[SHOWN] = [it.text for it in snippets("people.md") if "network:" in it.text]


def loaded(folder: Path, text: str) -> Station:
    file = folder / "station.yaml"
    file.write_text(f"name: bench-1\n{text}", encoding="utf-8")
    return load(file)


def test_the_door_that_the_docs_show_opens_with_files_beside_the_config(tmp_path: Path) -> None:
    station = loaded(tmp_path, SHOWN)
    network = station.api.network
    assert network is not None
    assert str(network.listen) == "0.0.0.0:8443"
    assert network.hosts == ("bench-1.lab.example",)
    assert (network.certificate, network.key) == (
        tmp_path / "tls" / "bench-1.crt",
        tmp_path / "tls" / "bench-1.key",
    )
    assert [text.rpartition("/")[2] for text in missing(station)] == [
        "bench-1.crt here now",
        "bench-1.key here now",
    ]


def test_without_it_there_is_no_door_to_other_machines(tmp_path: Path) -> None:
    assert loaded(tmp_path, "").api.network is None


@pytest.mark.parametrize("key", ["listen", "certificate", "key", "hosts"])
def test_no_part_of_it_may_be_left_out(tmp_path: Path, key: str) -> None:
    lines = [line for line in SHOWN.splitlines() if not line.strip().startswith(f"{key}:")]
    with pytest.raises(ConfigError, match=rf"api\.network\.{key}: is missing"):
        loaded(tmp_path, "\n".join(lines))


def test_a_door_without_a_name_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"api\.network\.hosts"):
        loaded(tmp_path, SHOWN.replace("[bench-1.lab.example]", "[]"))
