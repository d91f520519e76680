"""What is empty while all is well is not when it is not: promtool reckons each such query with series of trouble."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.dashboard_files import asked, filled
from tests.dashboards_in_trouble import ONLY_IN_TROUBLE
from tests.lab.test_promtool import PROMTOOL, told

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(60),
    pytest.mark.skipif(not PROMTOOL, reason="Debian's prometheus is not installed"),
]
QUERIES = {it.id: it for it in asked()}


@pytest.mark.parametrize("name", sorted(ONLY_IN_TROUBLE))
@pytest.mark.parametrize(("is_trouble", "answer"), [(True, 1), (False, None)])
async def test_it_answers_in_trouble_and_only_then(
    name: str, is_trouble: bool, answer: int | None, tmp_path: Path
) -> None:
    trouble = ONLY_IN_TROUBLE[name]
    series = [{"series": it, "values": values} for it, values in trouble.series]
    expected = [{"labels": "{}", "value": answer}] if answer else []
    query = f"count({filled(QUERIES[name].expr, station='bench-1')})"
    case = {
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "15s",
                "input_series": series if is_trouble else [],
                "promql_expr_test": [{"expr": query, "eval_time": "2m", "exp_samples": expected}],
            }
        ],
    }
    file = tmp_path / "case.yml"
    file.write_text(json.dumps(case), encoding="utf-8")  # JSON is YAML
    code, said = await told(PROMTOOL, "test", "rules", file)
    assert (code, "SUCCESS" in said) == (0, True), said


def test_each_has_a_reason_and_is_a_query_that_there_is() -> None:
    assert ONLY_IN_TROUBLE.keys() <= QUERIES.keys()
    assert all(it.why for it in ONLY_IN_TROUBLE.values())
