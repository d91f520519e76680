"""The dashboards are as their code says, ask for what there is, and can be read in two languages."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
from promql_parser import AggregateExpr, parse
from ruamel.yaml import YAML

from scripts.dashboards.__main__ import main
from scripts.dashboards.all import BOARDS
from scripts.dashboards.drawing import RUNBOOKS
from scripts.dashboards.words import COLOURS
from tests.dashboard_files import (
    FILES,
    GRAFANA,
    Asked,
    asked,
    boards,
    choices,
    filled,
    label_query,
    names,
    overrides,
    panels,
)
from tests.pages import DOCS, page, table, typed, words
from tests.promql import Wrong, chosen, labels_of, matchers
from tests.promql_units import SHOWN, unit_of, units
from tests.rules_files import PROMETHEUS, alerts, read
from tests.test_rules import VALUES

IS_QUERY: Final = pytest.mark.parametrize("query", asked(), ids=lambda it: it.id)
IS_PANEL: Final = pytest.mark.parametrize(
    "panel", [it for _, it in panels()], ids=[f"{uid} {it['id']}" for uid, it in panels()]
)
KINDS: Final = {"power", "thermal", "printers", "motion", "meters"}
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


def test_the_files_are_what_their_code_writes(tmp_path: Path) -> None:
    main(tmp_path)
    assert {it.name for it in FILES} == {it.name for it in tmp_path.iterdir()}
    for file in FILES:
        assert file.read_text("utf-8") == (tmp_path / file.name).read_text("utf-8"), (
            f"{file.name} is not what the code writes: python -m scripts.dashboards"
        )


def test_no_two_panels_of_a_dashboard_have_the_same_title() -> None:
    ids = [it.id for it in asked()]
    assert len(ids) == len(set(ids)) > 100


@IS_QUERY
def test_every_metric_and_label_that_is_asked_for_exists(query: Asked) -> None:
    has = labels_of(filled(query.expr), names())
    assert has is not None
    assert set(re.findall(r"\{\{(\w+)\}\}", query.legend)) <= has


@IS_QUERY
def test_every_value_that_is_asked_for_can_be(query: Asked) -> None:
    may_be = {**VALUES, "kind": KINDS, "alertstate": {"firing"}}
    for _, matcher in matchers(filled(query.expr)):
        if matcher.name in may_be:
            assert set(chosen(matcher)) <= may_be[matcher.name]


@IS_QUERY
def test_every_number_is_shown_in_the_unit_that_it_has(query: Asked) -> None:
    if query.unit is not None:
        unit = unit_of(filled(query.expr), units())
        assert query.unit in SHOWN[unit or ""]


@pytest.mark.parametrize(
    ("query", "unit"),
    [
        ("labkeeper_voltage_volts", "volts"),
        ("rate(labkeeper_bus_busy_seconds_total[1m])", "ratio"),
        ("time() - labkeeper_reading_timestamp_seconds", "seconds"),
        ("(labkeeper_calibration_expiry_timestamp_seconds - time()) / 86400", "days"),
        ("labkeeper_job_step_seconds / labkeeper_job_step_expected_seconds", "ratio"),
        ("sum(labkeeper_device_up == bool 0)", ""),
        ("rate(labkeeper_ledger_rows_total[1m])", "per second"),
    ],
)
def test_units_are_reckoned_as_people_do(query: str, unit: str) -> None:
    assert unit_of(query, units()) == unit


def test_units_that_can_t_be_added_are_noticed() -> None:
    with pytest.raises(Wrong, match="volts or celsius"):
        unit_of("labkeeper_voltage_volts or labkeeper_temperature_celsius", units())


def test_a_metric_that_is_renamed_is_noticed_in_every_query_that_asks_for_it() -> None:
    all_names = names()
    used = {word for it in asked() for word in re.findall(r"[\w:]+", it.expr) if word in all_names}
    assert len(used) > 50
    for name in used:
        renamed = {key: labels for key, labels in all_names.items() if key != name}
        for query in asked():
            if re.search(rf"(?<![\w:]){name}(?![\w:])", query.expr):
                with pytest.raises(Wrong, match=f"no metric {name}"):
                    labels_of(filled(query.expr), renamed)


def test_every_variable_asks_for_a_label_that_there_is() -> None:
    found = {(uid, it["name"]) for uid, it in choices()}
    assert {name for _, name in found} == {"site", "station", "device"}
    assert {uid for uid, name in found if name == "station"} == {it.uid for it in BOARDS}
    for _, it in choices():
        series, label = label_query(it["query"])
        assert label == it["name"]
        assert label in (labels_of(filled(series), names()) or ())


@pytest.mark.parametrize("board", boards(), ids=lambda it: it["uid"])
def test_no_panel_lies_over_another_and_every_row_is_filled(board: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for it in board["panels"]:
        at = it["gridPos"]
        assert at["x"] + at["w"] <= 24
        across, down = range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])
        cells = set(itertools.product(across, down))
        assert not cells & taken, it["title"]
        taken |= cells
    height = 1 + max(y for _, y in taken)
    assert len(taken) == 24 * height


@pytest.mark.parametrize("board", boards(), ids=lambda it: it["uid"])
def test_every_id_is_there_once_and_the_data_source_is_chosen(board: dict[str, Any]) -> None:
    numbers = [it["id"] for it in board["panels"]]
    assert len(numbers) == len(set(numbers))
    assert board["templating"]["list"][0]["name"] == "datasource"
    asking = [it for it in board["panels"] if it["type"] != "row"]
    asking += [target for it in asking for target in it["targets"]]
    asking += board["annotations"]["list"]
    asking += [it for it in board["templating"]["list"] if it["type"] == "query"]
    assert all(it["datasource"] == SOURCE for it in asking)


def test_every_dashboard_has_a_name_of_its_own_and_a_button_to_the_others() -> None:
    assert len({it["uid"] for it in boards()}) == len({it["title"] for it in boards()}) == 5
    for board in boards():
        assert board["tags"] == ["labkeeper"]
        [link] = board["links"]
        assert (link["type"], link["tags"]) == ("dashboards", ["labkeeper"])
        assert link["includeVars"]
        assert link["keepTime"]


def test_everything_is_said_in_both_languages() -> None:
    rows = [it for board in boards() for it in board["panels"]]
    titles = [it["title"] for it in (*rows, *boards())]
    titles += [it["label"] for _, it in choices()]
    titles += [one["displayName"] for _, it in panels() for one in overrides(it).values()]
    for title in titles:
        korean, found, english = title.removeprefix("labkeeper: ").partition(" · ")
        assert found, title
        assert re.search(r"[가-힣]", korean) or korean == english == "MQTT", title
        assert not re.search(r"[가-힣]", english), title
    for text in (it["description"] for it in (*boards(), *(it for _, it in panels()))):
        korean, english = text.split("\n\n")
        assert re.search(r"[가-힣]", korean)
        assert korean.endswith(".")
        assert not re.search(r"[가-힣]", english)
        assert english.endswith(".")


@IS_PANEL
def test_a_list_of_several_queries_is_one_table(panel: dict[str, Any]) -> None:
    # Grafana makes one row of answers whose common labels are the same, the metric's name among them.
    if panel["type"] == "table" and len(panel["targets"]) > 1:
        for target in panel["targets"]:
            assert isinstance(parse(filled(target["expr"])), AggregateExpr)


@IS_PANEL
def test_what_a_colour_means_is_said_in_words(panel: dict[str, Any]) -> None:
    text = json.dumps(panel["fieldConfig"])
    for colour, said in COLOURS.items():
        if f'"{colour}"' in text:
            assert said.ko in panel["description"]
            assert said.en in panel["description"]


@IS_PANEL
def test_every_link_leads_to_a_runbook_or_a_dashboard_with_what_was_clicked(
    panel: dict[str, Any],
) -> None:
    links = [*panel.get("links", []), *panel["fieldConfig"]["defaults"].get("links", [])]
    links += [it for one in overrides(panel).values() for it in one.get("links", [])]
    called = {it.name for it in alerts()} | {"${__data.fields.alertname}"}
    dashboards = {it["uid"] for it in boards()}
    has = {
        label for it in panel["targets"] for label in labels_of(filled(it["expr"]), names()) or ()
    }
    if panel["type"] == "table":  # what is no column can't be clicked
        has &= overrides(panel).keys()
    for link in links:
        if found := re.fullmatch(r"\$\{runbooks:raw\}/(.+)\.html", link["url"]):
            assert found.group(1) in called
        else:
            assert re.match(r"/d/([\w-]+)\?", link["url"])[1] in dashboards  # type: ignore[index]
            assert (
                set(re.findall(r"\$\{__(?:data\.fields|field\.labels)\.(\w+)\}", link["url"]))
                <= has
            )


def test_every_alert_has_a_panel_that_leads_to_its_runbook() -> None:
    text = "".join(file.read_text("utf-8") for file in FILES)
    elsewhere = {"NoStations", "AgentRestarts", "ClockUnsynchronised"}
    for alert in {it.name for it in alerts()} - elsewhere:
        assert f"/{alert}.html" in text
        assert (DOCS / "runbooks" / f"{alert}.md").is_file()


def test_runbooks_are_looked_for_where_prometheus_looks_for_them() -> None:
    labels = read(PROMETHEUS / "prometheus.yml")["global"]["external_labels"]
    assert labels["runbooks"] == RUNBOOKS
    for board in boards():
        [it] = [one for one in board["templating"]["list"] if one["name"] == "runbooks"]
        assert it["query"] == RUNBOOKS


def test_what_provisions_grafana_has_no_secret_and_names_what_is_there() -> None:
    files = sorted((GRAFANA / "provisioning").rglob("*.yaml"))
    assert [it.parent.name for it in files] == ["dashboards", "datasources"]
    providers, sources = (YAML(typ="safe", pure=True).load(it) for it in files)
    assert "secure" not in str(sources) + str(providers)
    assert "password" not in str(sources).lower()
    [source] = sources["datasources"]
    every = read(PROMETHEUS / "prometheus.yml")["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == every
    [provider] = providers["providers"]
    assert provider["options"]["path"].endswith("/dashboards/labkeeper")


def test_the_page_names_every_dashboard_and_every_address_is_kept() -> None:
    rows = table("grafana.md", "dashboard", "address", "for whom", "what it shows")
    shown = {(f"labkeeper: {row[0]}", row[1].strip("`")) for row in rows}
    assert shown == {(it["title"], f"/d/{it['uid']}") for it in boards()}
    kept = table("contracts.md", "dashboard", "variables")
    assert [(words(uid), words(names)) for uid, names in kept] == [
        ([it.uid], [one.name for one in it.choices]) for it in BOARDS
    ]


def test_the_command_of_the_page_turns_every_runbook_link(tmp_path: Path) -> None:
    main(tmp_path)
    [command] = [line for line, _ in typed("grafana.md") if " sed " in line]
    script = shlex.split(command)[3]
    files = list(tmp_path.iterdir())
    subprocess.run(["sed", "-i", script, *map(str, files)], check=True)
    for file in files:
        text = file.read_text("utf-8")
        assert RUNBOOKS not in text
        assert "https://docs.example.org/runbooks" in text


def test_the_page_says_that_no_grafana_has_drawn_them() -> None:
    text = page("grafana.md")
    assert "No Grafana has drawn them" in text
    assert "실제 Grafana에서 그려 본 적은 없습니다" in text
