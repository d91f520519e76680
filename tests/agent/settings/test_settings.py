"""A right config: what it means, what stands where it is silent, and what changed between two."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

from agent.cli.client import DEFAULT_SOCKET
from agent.errors import ConfigError
from agent.settings import Listener, Mqtt, changed, load, read_secret
from agent.settings.document import read_document
from agent.settings.models import StationSettings
from agent.settings.schema import schema
from drivers import Role
from tests.agent.settings_bench import loaded, use_toys, write

CONFIG = Path(__file__).parents[3] / "config"
SUPPLY = """\
    name: bench-3
    devices:
      psu1:
        driver: toy.supply
        address: tcp://192.0.2.1:5025
        poll: {measured_voltage: 0.5, voltage: 0}
        limits:
          voltage:
            high: 5.5
          ramp.to: {low: 1}
        timeouts: {whole: 2}
"""


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    use_toys(monkeypatch)


def test_a_name_is_all_that_a_station_needs(tmp_path: Path) -> None:
    station = loaded(tmp_path, "name: bench-3")
    assert station.devices == {}
    assert station.mqtt is None
    assert station.metrics is not None
    assert station.metrics.listen == Listener("127.0.0.1", 9464)
    assert station.api.socket == Path("/var/lib/labkeeper/agent.sock")
    assert station.api.token_file == Path("/var/lib/labkeeper/api-token")
    assert station.files == Path("/var/lib/labkeeper/files")
    assert (station.reconnect.first, station.reconnect.most) == (0.25, 4.0)


def test_as_a_service_the_socket_is_where_the_command_line_looks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/labkeeper")  # as the unit's RuntimeDirectory does
    assert loaded(tmp_path, "name: bench-3").api.socket == DEFAULT_SOCKET
    example = load(CONFIG / "station.example.yaml")
    assert example.api.socket == DEFAULT_SOCKET
    assert example.api.token_file == Path("/var/lib/labkeeper/api-token")


def test_what_is_read_is_relative_to_the_file_and_what_is_written_to_the_state(
    tmp_path: Path,
) -> None:
    station = loaded(
        tmp_path,
        """\
        name: bench-3
        state: here
        api: {socket: /run/labkeeper/agent.sock}
        mqtt: {host: broker.example, password_file: secret}
        """,
    )
    assert station.state == tmp_path / "here"
    assert station.api.token_file == tmp_path / "here/api-token"
    assert station.api.socket == Path("/run/labkeeper/agent.sock")
    assert station.mqtt is not None
    assert station.mqtt.password_file == tmp_path / "secret"
    assert (station.mqtt.client_id, station.mqtt.role) == ("bench-3", Role.TECHNICIAN)


@pytest.mark.parametrize(
    ("written", "meant"), [("5", "5"), ("'5'", "5"), ("3.1.1", "3.1.1"), ("'3.1.1'", "3.1.1")]
)
def test_the_version_of_mqtt_may_be_a_number_or_a_text(
    written: str, meant: str, tmp_path: Path
) -> None:
    station = loaded(tmp_path, f"name: a\nmqtt: {{host: '::1', protocol: {written}}}")
    assert isinstance(station.mqtt, Mqtt)
    assert station.mqtt.protocol == meant


def test_null_switches_the_metrics_off(tmp_path: Path) -> None:
    assert loaded(tmp_path, "name: a\nmetrics: null").metrics is None


@pytest.mark.usefixtures("toys")
def test_each_limit_names_the_line_that_set_it(tmp_path: Path) -> None:
    device = loaded(tmp_path, SUPPLY).devices["psu1"]
    voltage, ramp = device.limits.spans["voltage"], device.limits.spans["ramp.to"]
    assert (voltage.low, voltage.high) == (None, 5.5)
    assert voltage.high_source == f"{tmp_path}/station.yaml:9"
    assert (ramp.low, ramp.low_source) == (1, f"{tmp_path}/station.yaml:10")
    assert device.poll == {"measured_voltage": 0.5, "voltage": 0}
    assert device.timeouts == {"whole": 2}
    assert device.place == f"{tmp_path}/station.yaml:3"


@pytest.mark.usefixtures("toys")
def test_devices_of_the_folder_join_those_of_the_file(tmp_path: Path) -> None:
    oven = "driver: toy.oven\naddress: modbus+tcp://192.0.2.2?unit=7"
    write(tmp_path, oven, "rig/oven1.yaml")
    write(tmp_path, "not: read", "rig/.#oven1.yaml")
    write(tmp_path, "not: read", "rig/notes.txt")
    station = loaded(tmp_path, f"{SUPPLY}\n    devices_folder: rig")
    assert list(station.devices) == ["psu1", "oven1"]
    assert station.devices["oven1"].address.options == {"unit": "7"}
    assert station.devices["oven1"].place == f"{tmp_path}/rig/oven1.yaml:1"


@pytest.mark.usefixtures("toys")
def test_only_drivers_that_are_used_are_imported(tmp_path: Path) -> None:
    loaded(tmp_path, SUPPLY)
    assert "tests.agent.no_such_module" not in sys.modules


@pytest.mark.usefixtures("toys")
def test_a_reload_tells_what_to_touch_and_what_to_leave(tmp_path: Path) -> None:
    third = "      psu3: {driver: toy.supply, address: 'tcp://192.0.2.3:1'}\n"
    second = third.replace("3", "2")
    old = loaded(tmp_path, SUPPLY + second)
    new = loaded(
        tmp_path, f"#\n{SUPPLY}{third}    log: {{level: debug}}".replace("whole: 2", "whole: 3")
    )
    found = changed(old, new)
    assert (found.added, found.removed) == (("psu3",), ("psu2",))
    assert (found.changed, found.moved, found.keys) == (("psu1",), (), ("log",))


@pytest.mark.usefixtures("toys")
def test_a_device_on_another_line_only_moved(tmp_path: Path) -> None:
    old = loaded(tmp_path, SUPPLY)
    new = loaded(tmp_path, f"# a comment\n{SUPPLY}")
    found = changed(old, new)
    assert (found.changed, found.moved) == ((), ("psu1",))
    assert found
    assert not changed(old, old)


def test_a_secret_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    assert read_secret(write(tmp_path, "open sesame \nand more", "secret")) == "open sesame"
    for file in (write(tmp_path, "", "empty"), tmp_path / "missing"):
        with pytest.raises(ConfigError, match=file.name):
            read_secret(file)


def keys_of(model: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    """The path of every key; a mapping's own names are left out."""
    for name, field in model.model_fields.items():
        yield (name,)
        if (inner := model_in(field.annotation)) is not None:
            yield from ((name, *rest) for rest in keys_of(inner))


def model_in(kind: Any) -> type[BaseModel] | None:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    found = (model_in(member) for member in getattr(kind, "__args__", ()))
    return next((model for model in found if model), None)


def test_the_example_has_every_key_with_a_comment() -> None:
    file = CONFIG / "station.example.yaml"
    document, lines = read_document(file), file.read_text("utf-8").splitlines()
    named = {"psu1", "oven1", "printer1", "printer2", "printer3", "printer4", "voltage", "output"}
    named |= {"oven-not-hot", "oven1.temperature", "psu1.output", "nightly-check"}
    named |= {"oven-too-hot", "supply-off"}
    present: dict[tuple[str, ...], int] = {}
    for path, spot in document.keys.items():
        words = tuple(str(part) for part in path)
        present.setdefault(tuple(word for word in words if word not in named), spot.line)
    for path in keys_of(StationSettings):
        assert path in present
        own_and_section = [lines[present[path[:depth]] - 1] for depth in range(1, len(path) + 1)]
        assert any("#" in line for line in own_and_section[-2:]), path


@pytest.mark.parametrize("file", ["station.example.yaml", "devices.example/stage1.yaml"])
def test_the_examples_fit_the_schema_that_editors_use(file: str) -> None:
    whole = json.loads(schema())
    part = whole if file.startswith("station") else {**whole, "$ref": "#/$defs/DeviceSettings"}
    for key in ("properties", "required", "type", "additionalProperties"):
        part = part if part is whole else {k: v for k, v in part.items() if k != key}
    jsonschema.Draft202012Validator.check_schema(whole)
    jsonschema.Draft202012Validator(part).validate(read_document(CONFIG / file).data)


def test_the_committed_schema_is_the_models_own() -> None:
    assert (CONFIG / "station.schema.json").read_text("utf-8") == schema()


def test_the_example_loads() -> None:
    station = load(CONFIG / "station.example.yaml")
    used = {device.driver for device in station.devices.values()}
    assert used == {
        "siglent.spd1000x", "keysight.34460a", "autonics.tk4", "printers.marlin", "motion.grbl",
        "printers.moonraker", "printers.prusalink", "printers.octoprint",
    }  # fmt: skip


def test_every_key_is_described_in_a_sentence() -> None:
    whole = json.loads(schema())
    for model in (whole, *whole["$defs"].values()):
        assert model["description"].endswith(".")
        for name, key in model["properties"].items():
            assert key["description"].endswith("."), name


def test_reading_a_config_imports_no_server_and_no_instrument_library() -> None:
    code = "import sys, agent.settings; print(*sys.modules)"
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=CONFIG.parent, check=True, capture_output=True, text=True
    ).stdout.split()
    assert not {"fastapi", "uvicorn", "typer", "pyvisa", "pymodbus", "serial", "aiomqtt"} & set(out)
