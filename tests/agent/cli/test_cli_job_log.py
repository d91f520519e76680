"""What is on record of a job is told in words, and not as it is stored."""

from __future__ import annotations

from typing import Any

import pytest

from agent.cli.job_log import _told


@pytest.mark.parametrize(
    ("what", "data", "said"),
    [
        (
            "command",
            {"action": "set", "object": "psu1.voltage", "stage": "intent", "after": 5.0, "why": ""},
            "set psu1.voltage 5: intent (kim, job)",
        ),
        (
            "command",
            {"action": "do", "object": "psu1.ramp", "stage": "failed", "after": {"to": 3.5},
             "why": "no reply"},
            "do psu1.ramp to=3.5: failed: no reply (kim, job)",
        ),
        (
            "event",
            {"action": "run.closed", "object": "j1", "why": ""},
            "run.closed j1 (kim, job)",
        ),
    ],
)  # fmt: skip
def test_a_row_is_told_in_words(what: str, data: dict[str, Any], said: str) -> None:
    entry = {"what": what, "data": data, "by": "kim", "origin": "job"}
    assert _told(entry, "en") == said
