"""What holds for every driver in the catalogue, whatever it drives: words, units, ranges, roles."""

from __future__ import annotations

import json
from typing import Any

import pytest

from drivers import catalogue
from drivers.description import describe
from drivers.driver import Driver
from drivers.errors import BadAddress, OutOfRange, RequestError, WrongType
from drivers.fields import Reading, Role, Setting
from drivers.forms import Limits
from drivers.transport.address import Address
from drivers.units import UNITS
from tests.drivers.every_driver import BENCHES, NAMES, bad, driver, good

FIELDS = [(name, field) for name in NAMES for field in driver(name).readings.values()]
SETTINGS = [(name, field) for name, field in FIELDS if isinstance(field, Setting)]
COMMANDS = [(name, command) for name in NAMES for command in driver(name).commands.values()]
PARAMETERS = [(n, c, parameter) for n, c in COMMANDS for parameter in c.parameters]


def ids(rows: list[Any]) -> list[str]:
    return [".".join(getattr(part, "name", part) for part in row) for row in rows]


every_driver = pytest.mark.parametrize("name", NAMES)
every_field = pytest.mark.parametrize(("name", "field"), FIELDS, ids=ids(FIELDS))
every_setting = pytest.mark.parametrize(("name", "setting"), SETTINGS, ids=ids(SETTINGS))
every_command = pytest.mark.parametrize(("name", "command"), COMMANDS, ids=ids(COMMANDS))
every_parameter = pytest.mark.parametrize(
    ("name", "command", "parameter"), PARAMETERS, ids=ids(PARAMETERS)
)


def is_a_sentence(text: str) -> bool:
    first = text.strip().partition("\n\n")[0]
    return first[:1].isupper() and first.endswith(".")


def test_every_name_in_the_catalogue_has_a_bench() -> None:
    assert set(NAMES) == set(catalogue.names()), "give it a row in tests/drivers/every_driver.py"


@every_driver
def test_a_title_names_the_device_to_a_person(name: str) -> None:
    title = driver(name).title()
    assert 5 < len(title) < 80
    assert title[0].isupper()
    assert not title.endswith(".")
    assert title.isprintable()


@every_driver
def test_it_offers_something_and_its_bench_knows_the_truth_of_all_of_it(name: str) -> None:
    bench = BENCHES[name]()
    readings = driver(name).readings
    assert readings
    assert set(bench.truth()) | set(bench.local) == set(readings)
    assert not set(bench.truth()) & set(bench.local)
    assert set(bench.values) <= set(driver(name).settings())


@every_driver
def test_every_exception_in_the_table_has_its_reason(name: str) -> None:
    bench = BENCHES[name]
    reasons = [
        *bench.local.values(),
        *bench.lateness.values(),
        *(r for _, r in bench.values.values()),
    ]
    assert all(len(reason.split()) > 4 for reason in reasons)


@every_driver
def test_it_is_told_apart_from_other_instruments(name: str) -> None:
    assert driver(name).identity


@every_driver
def test_the_addresses_that_reach_it_carry_what_its_wire_speaks(name: str) -> None:
    places = {"tcp": "host:1", "serial": "/dev/tty", "modbus+rtu": "/dev/tty"}
    for scheme in BENCHES[name].schemes:
        try:
            address = Address.parse(f"{scheme}://{places.get(scheme, 'host:1')}")
        except BadAddress as error:
            pytest.fail(str(error))
        assert address.carries == driver(name).wire_type.carried_by


@every_driver
def test_time_outs_are_positive_and_in_order(name: str) -> None:
    cls = driver(name)
    timeouts = cls.traits.get("timeouts", cls.wire_type.timeouts)
    assert 0 < timeouts.next_byte <= timeouts.first_byte <= timeouts.whole
    assert timeouts.turn > 0


@every_driver
def test_its_description_is_json_and_the_same_every_time(name: str) -> None:
    first, second = (json.dumps(describe(name, driver(name)).as_dict()) for _ in range(2))
    assert first == second
    told = json.loads(first)
    offered = [*told["readings"], *told["settings"]]
    assert {field["name"] for field in offered} == set(driver(name).readings)
    assert "NaN" not in first
    assert "Infinity" not in first


@every_field
def test_a_field_is_described_in_a_sentence(name: str, field: Reading[Any]) -> None:
    assert is_a_sentence(field.doc)
    assert field.name.islower()
    assert field.name.isidentifier()


@every_field
def test_a_field_has_a_unit_of_the_lab_and_a_type(name: str, field: Reading[Any]) -> None:
    assert field.form.unit in UNITS
    assert field.form.kind in {"number", "integer", "boolean", "text", "choice"}
    if field.form.kind == "number":
        assert field.form.unit, "a number says what it counts; a bare one has the unit 1"
    if field.form.kind in {"boolean", "text", "choice"}:
        assert not field.form.unit


@every_field
def test_a_poll_period_is_neither_frantic_nor_forgotten(name: str, field: Reading[Any]) -> None:
    assert field.every == 0 or 0.1 <= field.every <= 3600


@every_setting
def test_a_setting_has_a_role_and_a_range(name: str, setting: Setting[Any]) -> None:
    assert isinstance(setting.role, Role)
    assert setting.role > Role.OBSERVER
    span = setting.form.span
    if setting.form.kind in {"number", "integer"}:
        assert span.low is not None
        assert span.high is not None
        assert span.low < span.high


@every_setting
def test_a_setting_takes_what_is_in_its_range(name: str, setting: Setting[Any]) -> None:
    for value in good(name, setting):
        assert driver(name).check_setting(Limits(), setting.name, value) == value


@every_setting
def test_a_setting_refuses_what_is_not(name: str, setting: Setting[Any]) -> None:
    for value in bad(setting):
        with pytest.raises((WrongType, OutOfRange)):
            driver(name).check_setting(Limits(), setting.name, value)


@every_command
def test_a_command_is_described_and_ends(name: str, command: Any) -> None:
    assert is_a_sentence(command.doc)
    assert 0 < command.timeout <= 30 * 24 * 3600
    assert isinstance(command.role, Role)


@every_parameter
def test_an_argument_refuses_what_is_out_of_range_or_of_another_type(
    name: str, command: Any, parameter: Any
) -> None:
    needed = {p.name: some(p) for p in command.parameters if p.required}
    for value in bad(parameter):
        arguments = {**needed, parameter.name: value}
        with pytest.raises(RequestError):
            driver(name).check_arguments(Limits(), command.name, arguments)


@every_parameter
def test_a_number_as_argument_has_a_unit_and_a_range(
    name: str, command: Any, parameter: Any
) -> None:
    form = parameter.form
    if form.kind in {"number", "integer"}:
        assert form.unit
        assert form.span.low < form.span.high


def some(parameter: Any) -> object:
    """A value that a parameter takes, where it needs no file."""
    form = parameter.form
    return {"number": form.span.low, "integer": form.span.low, "boolean": True}.get(form.kind, "")


@every_driver
def test_who_can_be_made_safe_says_by_which_readings_that_is_seen(name: str) -> None:
    kind = driver(name)
    assert bool(kind.hazards) == (kind.make_safe is not Driver.make_safe)
    for reading, quiet in kind.hazards.items():
        form = kind.readings[reading].form
        assert quiet, f"{reading} must have a value at which it can do no harm"
        choices = set(getattr(form, "choices", ()) or ())
        assert not choices or quiet < choices, f"{reading} reads none of these: {quiet - choices}"
