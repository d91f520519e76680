"""Every rule asks for what there is, says what is wrong in two languages, and leads to a page that helps."""

from __future__ import annotations

import re
import shlex
from typing import Final, get_args

import pytest
from promql_parser import parse

from agent.cli.commands import command_line
from agent.errors import Refused
from agent.fleet.samples import Quality
from agent.jobs.states import JobState
from agent.recording import RECORD_FAILED
from agent.settings.alarm_models import Priority
from tests.pages import DOCS, ROOT, named, page
from tests.promql import Labels, Wrong, chosen, known, labels_of, matchers
from tests.rules_files import CASES, PROMETHEUS, RULES, Rule, alerts, read, rules

SEVERITIES: Final = {"critical", "warning", "info"}
TEXTS: Final = ("summary", "summary_ko", "description", "description_ko")
LABEL: Final = re.compile(r"\$labels\.(\w+)")
RUNBOOK: Final = re.compile(r"\{\{ \$externalLabels\.runbooks \}\}/(\w+)\.html")
IS_ALERT: Final = pytest.mark.parametrize("alert", alerts(), ids=lambda it: it.id)
IS_RULE: Final = pytest.mark.parametrize("rule", rules(), ids=lambda it: it.id)
VALUES: Final = {
    "state": set(map(str, JobState)),
    "quality": set(map(str, Quality)),
    "priority": set(get_args(Priority)),
    "alarm": {RECORD_FAILED.name},
    "job": {"labkeeper"},
}
"""What a rule may ask of these labels with = or =~."""


def names() -> dict[str, Labels]:
    """Every name that there is, those that are recorded as well."""
    found = known()
    for rule in rules():
        if not rule.is_alert:
            found[rule.name] = labels_of(rule.expr, found) or frozenset()
    return found


@IS_RULE
def test_every_metric_and_label_that_a_rule_asks_for_exists(rule: Rule) -> None:
    assert labels_of(rule.expr, names())


@IS_RULE
def test_every_value_that_a_rule_asks_for_can_be(rule: Rule) -> None:
    for _, matcher in matchers(rule.expr):
        assert set(chosen(matcher)) <= VALUES[matcher.name]


def test_a_metric_that_is_renamed_is_noticed_in_every_rule_that_asks_for_it() -> None:
    names_of_all, all_rules = names(), rules()
    asked = {
        word
        for rule in all_rules
        for word in re.findall(r"[a-z_:]+", rule.expr)
        if word in names_of_all
    }
    assert len(asked) > 25
    for name in asked:
        renamed = {key: labels for key, labels in names_of_all.items() if key != name}
        users = [it for it in all_rules if re.search(rf"(?<![\w:]){name}(?![\w:])", it.expr)]
        assert users
        for rule in users:
            with pytest.raises(Wrong, match=f"no metric {name}"):
                labels_of(rule.expr, renamed)


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ('labkeeper_device_up{dev="psu1"} == 0', "no label dev"),
        ("sum by (kind) (labkeeper_device_up)", "no label kind"),
        ("labkeeper_device_up and on (bus) labkeeper_device_jobs", "no label bus"),
        ("labkeeper_device_up and labkeeper_queue_held", "none meet"),
        ("rate(labkeeper_device_up[5m])", "no counter"),
        ("histogram_quantile(0.9, rate(labkeeper_polls_total[5m]))", "no label le"),
    ],
)
def test_a_query_that_could_never_answer_is_noticed(query: str, wrong: str) -> None:
    parse(query)  # it is PromQL
    with pytest.raises(Wrong, match=wrong):
        labels_of(query, known())


@IS_ALERT
def test_every_alert_has_a_severity_and_says_in_both_languages_what_is_wrong(alert: Rule) -> None:
    assert alert.severity in SEVERITIES
    assert list(alert.annotations) == [*TEXTS, "runbook_url"]
    for name in TEXTS:
        text = alert.annotations[name]
        is_korean = re.search(r"[가-힣]", text) is not None
        assert is_korean == name.endswith("_ko")
        assert not text.endswith(".") if name.startswith("summary") else text.endswith(".")


@IS_ALERT
def test_both_languages_name_the_same_things_and_only_such_as_the_alert_has(alert: Rule) -> None:
    has = labels_of(alert.expr, names()) or frozenset()
    for name in ("summary", "description"):
        english, korean = (alert.annotations[name + end] for end in ("", "_ko"))
        assert set(LABEL.findall(english)) == set(LABEL.findall(korean)) <= has
        assert ("$value" in english) == ("$value" in korean)
    assert "station" not in has or "$labels.station" in alert.annotations["summary"]


@IS_ALERT
def test_every_alert_leads_to_its_own_runbook(alert: Rule) -> None:
    found = RUNBOOK.fullmatch(alert.annotations["runbook_url"])
    assert found
    assert found.group(1) == alert.name
    assert (DOCS / "runbooks" / f"{alert.name}.md").is_file()


def test_every_runbook_belongs_to_an_alert_and_is_in_the_list_and_the_menu() -> None:
    pages = {file.stem for file in (DOCS / "runbooks").glob("*.md")} - {"index"}
    assert pages == {alert.name for alert in alerts()}
    index = page("runbooks/index.md")
    menu = (ROOT / "zensical.toml").read_text("utf-8")
    assert not [it for it in pages if f"({it}.md)" not in index or f"runbooks/{it}.md" not in menu]


HEADINGS: Final = (
    *("한국어", "무슨 뜻인가", "무엇이 위험한가", "확인할 것", "할 일", "하지 말 것"),
    *(
        "English",
        "What it means",
        "What is at stake",
        "How to look",
        "What to do",
        "What not to do",
    ),
)


@pytest.mark.parametrize("name", sorted({it.name for it in alerts()}))
def test_every_runbook_has_all_its_parts_in_both_languages(name: str) -> None:
    text = page(f"runbooks/{name}.md")
    assert text.startswith(f"# {name}\n")
    assert tuple(re.findall(r"^##+ (.+)$", text, re.MULTILINE)) == HEADINGS
    shown = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(shown) == 2
    assert shown[0] == shown[1]


@pytest.mark.parametrize("name", sorted({it.name for it in alerts()}))
def test_every_command_that_a_runbook_speaks_of_exists(name: str) -> None:
    for line in re.findall(r"`labkeeper ([^`]+)`", page(f"runbooks/{name}.md")):
        try:
            command_line().parse_args(shlex.split(line))
        except Refused as refused:  # in a sentence a command may stand without what it is about
            assert "arguments are required" in str(refused), line  # noqa: PT017


@IS_ALERT
def test_nobody_is_called_for_a_blip(alert: Rule) -> None:
    if alert.severity == "critical":
        assert alert.lasts != "0s"


def test_every_rule_has_a_case_in_which_it_speaks_and_one_in_which_it_is_silent() -> None:
    spoken: set[str] = set()
    silent: set[str] = set()
    for asked in (
        it for file in CASES for group in read(file)["tests"] for it in group["promql_expr_test"]
    ):
        if not asked["exp_samples"]:
            silent.update(_asked_for(asked["expr"]))
        spoken.update(one for it in asked["exp_samples"] for one in _asked_for(it["labels"]))
    assert not [it.id for it in rules() if it.id not in spoken]
    assert not [it.id for it in rules() if it.id not in silent]


def _asked_for(expr: str) -> list[str]:
    """The rules that a case is about: of an alert those of the severity that it names, else all."""
    return [
        it.id
        for it in rules()
        if (f'alertname="{it.name}"' in expr if it.is_alert else it.name in expr)
        and ("severity=" not in expr or f'severity="{it.severity}"' in expr)
    ]


def test_the_page_names_every_series_that_is_recorded_and_every_annotation() -> None:
    recorded = [it.name for it in rules() if not it.is_alert]
    assert named("prometheus.md", "series", "what it is") == recorded
    for name in (*TEXTS, "runbook_url"):
        assert f"`{name}`" in page("prometheus.md")
        assert f"`{name}`" in page("contracts.md")


def test_every_group_of_rules_has_another_name() -> None:
    groups = [group["name"] for file in RULES for group in read(file)["groups"]]
    assert len(groups) == len(set(groups)) == len(RULES)


def test_what_one_alert_keeps_back_is_named_as_it_is_called() -> None:
    text = (PROMETHEUS / "alertmanager.yml").read_text("utf-8")
    called = {
        word for found in re.findall(r'alertname =~? "?([\w|]+)', text) for word in found.split("|")
    }
    assert called
    assert called <= {alert.name for alert in alerts()}
    assert all(f"severity = {it}" in text for it in SEVERITIES - {"warning"})
