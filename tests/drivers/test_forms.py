"""What a value may be, and how one from outside is checked: never clipped, never guessed."""

from enum import Enum
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import Driver, Limits, Span, TextFile, command
from drivers.errors import OutOfRange, WrongType
from drivers.forms import Form, parameters_of


class Mode(Enum):
    RUN = 1
    STOP = 2


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_taken_whole_or_refused_and_never_changed(value: float) -> None:
    form = Form(float, unit="V", span=Span(0, 16, "V"))
    if 0 <= value <= 16:
        assert form.check("voltage", value) == value
    else:
        with pytest.raises(OutOfRange, match="the limit set by the model"):
            form.check("voltage", value)


@given(st.one_of(st.text(), st.none(), st.booleans(), st.lists(st.floats()), st.binary()))
def test_what_is_not_a_number_is_refused_as_one(value: object) -> None:
    with pytest.raises(WrongType, match="a number in V"):
        Form(float, unit="V").check("voltage", value)


def test_a_number_too_large_for_any_device_is_refused_and_not_shown_whole() -> None:
    with pytest.raises(WrongType) as refused:
        Form(float, unit="V").check("voltage", 10**400)
    assert len(str(refused.value)) < 100


@pytest.mark.parametrize("value", [1.5, float("inf"), float("nan"), "1", True])
def test_only_whole_numbers_are_whole_numbers(value: object) -> None:
    with pytest.raises(WrongType, match="a whole number"):
        Form(int).check("count", value)
    assert Form(int).check("count", 3.0) == 3


def test_a_choice_goes_by_its_public_name_or_its_member() -> None:
    form = Form(Mode)
    assert form.check("mode", "run") is form.check("mode", Mode.RUN) is Mode.RUN
    for wrong in ("RUN", 1, "idle", None):
        with pytest.raises(WrongType, match="one of run, stop"):
            form.check("mode", wrong)


@given(st.text())
def test_text_with_a_control_character_never_passes(text: str) -> None:
    form = Form(str)
    if text.isprintable():
        assert form.check("name", text) == text
    else:
        with pytest.raises(WrongType, match="control character"):
            form.check("name", text)


def test_config_narrows_one_end_and_the_model_keeps_the_other() -> None:
    form = Form(float, unit="V", span=Span(0, 16, "V"))
    limits = Limits({"voltage": Span(high=5.5, high_source="station.yaml:12")})
    narrowed = limits.narrow("voltage", form)
    assert (narrowed.span.low, narrowed.span.high) == (0, 5.5)
    with pytest.raises(OutOfRange, match=r"above 5\.5 V, the limit set by station\.yaml:12"):
        narrowed.check("voltage", 6)
    with pytest.raises(OutOfRange, match="below 0 V, the limit set by the model"):
        narrowed.check("voltage", -1)
    assert limits.narrow("other", form) is form


def test_config_can_not_widen() -> None:
    form = Form(float, unit="V", span=Span(0, 16, "V"))
    with pytest.raises(OutOfRange):
        Limits({"voltage": Span(high=20)}).narrow("voltage", form)


class Stage:
    async def move(
        self,
        file: TextFile,
        x: Annotated[float, Span(0, 10, "mm")],
        y: Annotated[float, Span(0, 20, "mm")] | None = None,
        z: Annotated[float | None, Span(0, 30, "mm")] = None,
        mode: Mode = Mode.RUN,
    ) -> None:
        """Move."""


def test_a_command_s_parameters_are_read_from_its_annotations() -> None:
    found = {parameter.name: parameter for parameter in parameters_of(Stage.move)}
    assert list(found) == ["file", "x", "y", "z", "mode"]
    assert found["file"].form.kind == "file"
    assert [found[axis].form.span.high for axis in "xyz"] == [10, 20, 30]
    assert [found[axis].form.unit for axis in "xyz"] == ["mm"] * 3
    assert [parameter.required for parameter in found.values()] == [True, True, False, False, False]
    assert found["mode"].form.choices == ("run", "stop")


class Heater(Driver[Any]):
    @command(timeout=1.0)
    async def warm(self, to: Annotated[float, Span(0, 300, "Cel")] = 200.0) -> None:
        """Warm up."""


def test_a_default_that_config_no_longer_allows_is_refused_when_it_would_count() -> None:
    limits = Limits({"warm.to": Span(high=150, high_source="oven")})
    assert Heater.check_arguments(Limits(), "warm", {}) == {}
    assert Heater.check_arguments(limits, "warm", {"to": 100}) == {"to": 100.0}
    with pytest.raises(OutOfRange, match="200 °C is above 150 °C, the limit set by oven"):
        Heater.check_arguments(limits, "warm", {})
