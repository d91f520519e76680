"""What a config says of who makes an output safe when the agent is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.fleet.plan import plan_for
from agent.settings import Cover, Reconnect
from tests.agent.settings_bench import complaints, loaded

SUPPLY = """\
    name: bench-3
    devices:
      psu1: {{driver: siglent.spd1000x, address: "tcp://192.0.2.3:1"{more}}}
"""


def test_what_is_not_named_has_no_cover_and_is_made_safe_after_an_end_without_order(
    tmp_path: Path,
) -> None:
    plan = plan_for(loaded(tmp_path, SUPPLY.format(more="")).devices["psu1"], Reconnect())
    assert plan.uncovered == ("output",)
    assert not plan.is_made_safe(in_order=True)
    assert plan.is_made_safe(in_order=False)


@pytest.mark.parametrize("cover", ["{by: hardware}", "{by: firmware, lease: 30}"])
def test_what_is_covered_is_left_by_a_crash_where_config_leaves_it(
    tmp_path: Path, cover: str
) -> None:
    more = f", safe_by: {{output: {cover}}}"
    plan = plan_for(loaded(tmp_path, SUPPLY.format(more=more)).devices["psu1"], Reconnect())
    assert plan.uncovered == ()
    assert not plan.is_made_safe(in_order=False)


def test_what_config_makes_safe_is_made_safe_whatever_covers_it(tmp_path: Path) -> None:
    more = ", on_shutdown: make_safe, safe_by: {output: {by: hardware}}"
    plan = plan_for(loaded(tmp_path, SUPPLY.format(more=more)).devices["psu1"], Reconnect())
    assert plan.safe_by == {"output": Cover(by="hardware")}
    assert plan.is_made_safe(in_order=True)
    assert plan.is_made_safe(in_order=False)


@pytest.mark.parametrize(
    ("cover", "complaint"),
    [
        ("{outlet: {by: hardware}}", "has no hazardous output of this name"),
        ("{voltage: {by: hardware}}", "has no hazardous output of this name"),
        ("{output: {by: firmware}}", "firmware covers it after how many seconds? Give `lease`"),
        ("{output: {by: hardware, lease: 30}}", "only firmware has a lease"),
        ("{output: {by: fuse}}", "allowed: 'none', 'hardware' or 'firmware'"),
    ],
)
def test_a_cover_that_makes_no_sense_is_refused_with_its_place(
    tmp_path: Path, cover: str, complaint: str
) -> None:
    [said] = complaints(tmp_path, SUPPLY.format(more=f", safe_by: {cover}"))
    assert complaint in str(said)
    assert ":3:" in str(said)
