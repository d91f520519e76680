"""Examples of jobs and their questions for the API's document."""

from typing import Any, Final

from agent.web.examples import DONE

STEP: Final[dict[str, Any]] = {
    "key": "steps.4.steps.2",
    "place": "config/recipes/thermal_cycle.yaml:47",
    "titles": {"ko": "가열", "en": "Heating"},
    "left": 1740.5,
    "limit": None,
    "turn": 0,
    "turns": None,
}
LEFT: Final[dict[str, Any]] = {"kind": "about", "seconds": 2100.0, "runs": 5}
JOB: Final[dict[str, Any]] = {
    "job": "20261122-091500-1",
    "recipe": "thermal_cycle",
    "version": "1.0",
    "state": "running",
    "why": "",
    "by": "kim",
    "origin": "cli",
    "submitted": "2026-11-22T09:15:00.250Z",
    "began": "2026-11-22T09:15:00.251Z",
    "ended": None,
    "not_before": None,
    "priority": 0,
    "number": 1,
    "copies": 1,
    "batch": "",
    "devices": {"oven": "oven1", "meter": "dmm1"},
    "verdict": "none",
    "steps": {"begun": 7, "ended": 5},
    "now": [STEP],
    "left": LEFT,
}
MEASURE: Final[dict[str, Any]] = {
    "name": "resistance_hot",
    "time": "2026-11-22T09:55:00.250Z",
    "value": 1012.4,
    "unit": "Ohm",
    "verdict": "pass",
    "reason": "",
}
LINE: Final[dict[str, Any]] = {
    "time": "2026-11-22T09:15:01.000Z",
    "level": "info",
    "texts": {"ko": "사이클 1/3", "en": "Cycle 1 of 3"},
}
ANSWER: Final[dict[str, Any]] = {
    "question": "Is specimen S-17 in the oven, with its leads connected?",
    "texts": {
        "ko": "시편 S-17이(가) 오븐 안에 있고 리드선이 연결되었습니까?",
        "en": "Is specimen S-17 in the oven, with its leads connected?",
    },
    "time": "2026-11-22T09:15:01.000Z",
    "value": True,
    "by": "kim",
}
WHOLE_JOB: Final[dict[str, Any]] = {
    **JOB,
    "arguments": {"specimen": "S-17", "lot": "L-3", "hot": 60.0},
    "sha256": "3b1a" * 16,
    "called": {"settle_oven": "90cd" * 16},
    "folder": "/var/lib/labkeeper/runs/20261122-091500-1_thermal_cycle",
    "measures": [MEASURE],
    "log": [LINE],
    "answers": [ANSWER],
    "safe": {"oven1": {**DONE, "value": None}},
}
PARAMETER: Final[dict[str, Any]] = {
    "type": "number",
    "unit": "Cel",
    "low": 40.0,
    "high": 150.0,
    "choices": [],
    "pattern": None,
    "default": 60.0,
}
QUESTION: Final[dict[str, Any]] = {
    "question": "20261122-091500-1.q1",
    "job": "20261122-091500-1",
    "kind": "confirm",
    "texts": {"ko": "준비되었습니까?", "en": "Is it ready?"},
    "asked": "2026-11-22T09:15:00.300Z",
    "value": None,
}
RECIPE: Final[dict[str, Any]] = {
    "recipe": "thermal_cycle",
    "version": "1.0",
    "titles": {"ko": "열 사이클 시험", "en": "Thermal cycle"},
    "parameters": {"hot": PARAMETER},
    "devices": {"oven": "oven1", "meter": "dmm1"},
}
HELD: Final[dict[str, Any]] = {
    "by": "kim",
    "origin": "cli",
    "since": "2026-11-22T09:10:00.000Z",
    "reason": "the lab is being cleaned",
}
QUEUE: Final[dict[str, Any]] = {
    "held": None,
    "jobs": [{**JOB, "state": "queued", "began": None, "now": [], "left": None, "priority": 10}],
}
LOGGED: Final[dict[str, Any]] = {
    "row": 812,
    "time": "2026-11-22T09:15:00.260Z",
    "what": "step",
    "by": "kim",
    "origin": "job",
    "data": {
        "key": "steps.0",
        "place": "config/recipes/thermal_cycle.yaml:31",
        "phase": "begun",
        "why": "",
    },
}
