"""`labkeeper metrics targets`: what a Prometheus elsewhere has to know of a station."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.cli import main, scraping

DOOR = """
api:
  network: {{listen: "0.0.0.0:{port}", certificate: a.crt, key: a.key, hosts: ["{host}"]}}
"""


def told(folder: Path, text: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    (folder / "station.yaml").write_text(f"name: bench-3\n{text}", "utf-8")
    code = main(["metrics", "targets", "--config", str(folder / "station.yaml")])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("host", ["bench-3.lab.example", "bench-3.lab.example:9999"])
def test_a_station_with_a_door_is_scraped_there_over_tls(
    tmp_path: Path, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = told(tmp_path, DOOR.format(port=8443, host=host), capsys)
    assert (code, err) == (0, "")
    target = host if ":" in host else f"{host}:8443"
    labels = {"station": "bench-3", "__scheme__": "https"}
    assert json.loads(out) == [{"targets": [target], "labels": labels}]


def test_one_without_is_scraped_on_its_own_machine_alone_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = told(tmp_path, "", capsys)
    labels = {"station": "bench-3", "__scheme__": "http"}
    assert json.loads(out) == [{"targets": ["127.0.0.1:9464"], "labels": labels}]
    assert code == 0
    assert "add api.network" in err


def test_without_a_config_it_is_about_the_station_that_is_installed_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "station.yaml").write_text("name: bench-4\n", "utf-8")
    monkeypatch.setattr(scraping, "STATION", str(tmp_path / "station.yaml"))
    assert main(["metrics", "targets"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["labels"]["station"] == "bench-4"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "metrics: null",
            "the station has no metrics page: take `metrics: null` out of its config",
        ),
        ('metrics: {listen: "127.0.0.1:0"}', "metrics.listen has port 0"),
        (DOOR.format(port=0, host="bench-3"), "api.network.listen has port 0"),
    ],
)
def test_a_page_that_nobody_could_find_is_refused(
    tmp_path: Path, text: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = told(tmp_path, text, capsys)
    assert (code, out) == (2, "")
    assert why in err


def test_metrics_alone_says_what_may_be_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics"]) == 2
    assert "which? metrics targets" in capsys.readouterr().err
