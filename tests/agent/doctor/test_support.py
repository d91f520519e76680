"""What leaves a station in a bundle for somebody who helps, and what never does."""

from __future__ import annotations

import json
import stat
import tarfile
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.doctor import contents
from agent.doctor.bundle import Wishes, bundled, name_of, write
from agent.doctor.patient import Patient
from agent.doctor.redaction import LEFT_OUT, Redaction, names_in
from agent.errors import NoPermission, Refused
from tests.agent.doctor_bench import patient
from tests.agent.ledger_bench import KIM

CONFIG = """\
# the old password was canary-comment
mqtt:
  host: broker.lab.example
  username: bench-1
  password_file: secrets/mqtt-password
  tls: {certificate: secrets/bench-1.crt, key: secrets/bench-1.key}
metrics: {token_file: canary-written-in-place-of-a-file, listen: "127.0.0.1:0"}
devices:
  printer1:
    driver: printers.moonraker
    address: http://192.0.2.9
    access: {key_file: secrets/printer-key}
    title: {ko: "이수진의 프린터"}
"""
FILES = {
    "secrets/mqtt-password": "canary-mqtt-password\n",
    "secrets/bench-1.key": "-----BEGIN PRIVATE KEY-----\ncanaryKEYcanaryKEYcanary\n-----END PRIVATE KEY-----\n",
    "secrets/bench-1.crt": "a certificate\n",
    "secrets/printer-key": 'canary-"quoted"-key\n',
    "secrets/forgotten": "canary-forgotten\n",
    "state/api-token": "canary-api-token-of-the-state-folder\n",
}
LOG = """\
Authorization: Bearer canary-bearer
X-Api-Key: canary-\\"quoted\\"-key
password=canary-in-a-line token: 'canary-quoted in a line'
http://kim:canary-userinfo@192.0.2.9/
make the first administrator with the code ABCD-EFGH-2345-WXYZ in the console
lk_canarycanarycanary0123 was refused; $argon2id$v=19$canary
김하나(mqtt)가 psu1.voltage를 바꿈; kim changed psu1, kimono did not; the sister of kim
"""
CANARIES = ("canary", "ABCD-EFGH")


@pytest.fixture
def station(tmp_path: Path) -> Patient:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "state").mkdir()
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, "utf-8")
    event = {"kind": "set.done", "text": "lee (cli) set psu1.voltage", "data": {"actor": "lee"}}
    answers: dict[str, Any] = {
        "about": {"agent": "0.1.0", "licences": ["a long text"]},
        "devices": [{"device": "printer1", "state": "offline", "reason": "canary-mqtt-password"}],
        "devices/printer1/wire/faults/last": {"entries": ["X-Api-Key: canary-\"quoted\"-key"]},
        "alarms": [{"alarm": "a", "by": {"name": "kim"}}],
        "interlocks": [],
        "events": [event],
    }  # fmt: skip
    return patient(tmp_path, CONFIG, answers=answers, output_of=lambda _: LOG)


def packed(who: Patient, wishes: Wishes | None = None) -> dict[str, str]:
    report = {"findings": [{"text": "there is no file canary-written-in-place-of-a-file"}]}
    found = bundled(who, report, wishes or Wishes(), str)
    return {it.name: it.text for it in found}


def test_no_secret_leaves_wherever_it_stood(station: Patient) -> None:
    texts = packed(station)
    for name, text in texts.items():
        assert not any(it in text for it in CANARIES), (name, text)
    assert {"doctor.json", "log.txt", "events.jsonl", "wire-printer1.jsonl"} < texts.keys()
    assert LEFT_OUT in texts["log.txt"]


def test_the_config_is_there_with_the_names_of_secrets_files_and_without_comments(
    station: Patient,
) -> None:
    shown = json.loads(packed(station)["config/station.yaml.json"])
    assert shown["mqtt"] == {
        "host": "broker.lab.example",
        "username": "bench-1",
        "password_file": "mqtt-password",
        "tls": {"certificate": "bench-1.crt", "key": "bench-1.key"},
    }
    assert shown["metrics"]["token_file"] == LEFT_OUT
    assert shown["devices"]["printer1"]["access"] == {"key_file": "printer-key"}


def test_people_are_replaced_by_numbers_the_same_in_every_file(station: Patient) -> None:
    texts = packed(station)
    number = json.loads(texts["alarms.jsonl"])["by"]["name"]
    assert number.startswith("person-")
    assert f"{number} changed psu1, kimono did not; the sister of {number}" in texts["log.txt"]
    assert "lee" not in texts["events.jsonl"]
    assert json.loads(texts["events.jsonl"])["text"].startswith("person-")


def test_people_stay_where_that_is_asked_for(station: Patient) -> None:
    texts = packed(station, Wishes(people=True))
    assert json.loads(texts["alarms.jsonl"])["by"]["name"] == "kim"
    assert "names of people are in it" in texts["CONTENTS.txt"]


def test_the_ledger_goes_along_only_where_that_is_asked_for(
    station: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "ledger.jsonl" not in packed(station)
    row = json.dumps({"entry": {"actor": {"name": KIM.name, "origin": "cli"}}}, ensure_ascii=False)
    monkeypatch.setattr(contents, "_ledger", lambda _: f"{row}\n")
    text = packed(station, Wishes(ledger=True))
    assert "김하나" not in text["ledger.jsonl"]
    assert "김하나" not in text["log.txt"]  # also before a particle
    assert KIM.name in packed(station, Wishes(ledger=True, people=True))["ledger.jsonl"]


def test_the_contents_come_first_and_say_that_a_person_should_look(station: Patient) -> None:
    first, *others = packed(station).items()
    assert first[0] == "CONTENTS.txt"
    for name, _ in others:
        assert name in first[1]
    assert "A person should look through it before it is sent." in first[1]
    assert "person-1 is the same in every file" in first[1]


def test_the_file_is_its_owners_alone_and_never_replaces_another(
    station: Patient, tmp_path: Path
) -> None:
    path = tmp_path / name_of(station)
    assert path.name == "labkeeper-support-bench-1-20261130T005320.tar.gz"
    found = bundled(station, {}, Wishes(), str)
    assert write(path, found, station.now) == path.stat().st_size
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(path) as archive:
        names = archive.getnames()
    assert names[0] == "labkeeper-support-bench-1-20261130T005320/CONTENTS.txt"
    with pytest.raises(Refused, match="is there already: say another name with --out"):
        write(path, found, station.now)
    with pytest.raises(NoPermission, match="can't be written: no such file"):
        write(tmp_path / "nowhere" / "x.tar.gz", found, station.now)


def test_a_config_that_is_no_yaml_is_left_out_and_that_is_said(tmp_path: Path) -> None:
    texts = packed(patient(tmp_path, "password: [canary"))
    assert not [it for it in texts if it.startswith("config/")]
    assert "the config is left out, because it can't be read as YAML" in texts["CONTENTS.txt"]
    assert "canary" not in texts["CONTENTS.txt"]


def test_a_name_is_found_at_any_depth() -> None:
    form = [{"data": {"actor": "lee"}}, {"by": {"name": "kim"}}, {"by": None}, {"x": [{"by": "p"}]}]
    assert names_in(form) == {"lee", "kim", "p"}


OTHER = st.characters(codec="utf-8", exclude_characters=LEFT_OUT)


@given(st.text(OTHER, min_size=4), st.text(OTHER), st.text(OTHER))
def test_a_known_secret_is_gone_from_any_text_its_json_and_its_url(
    secret: str, before: str, after: str
) -> None:
    redaction = Redaction([secret], [])
    text = f"{before}{secret}{after}"
    assert secret not in redaction.text(text)
    for ascii_alone in (True, False):
        written = json.dumps({"x": text}, ensure_ascii=ascii_alone)
        assert secret not in json.loads(redaction.text(written))["x"]
    assert secret not in unquote(redaction.text(f"http://h/?x={quote(secret, safe='')}"))
