"""A wrong config: every problem at once, each with its place and a sentence that helps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import ConfigError
from agent.settings import load
from tests.agent.settings_bench import complaints, problems, use_toys, write

CONFIG = Path(__file__).parents[3] / "config"
PSU = "driver: toy.supply, address: 'tcp://192.0.2.1:1'"
OVEN = "driver: toy.oven, address"


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    use_toys(monkeypatch)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "1:1: the file is empty"),
        ("# nothing", "1:1: the file is empty"),
        ("- a", "1:1: ['a'] is not a section: write keys under it, as `key: value`"),
        ("title: {}", "1:1: name: is missing: add it. Name in topics and metrics: a to z, digits and -."),
        ("name: Bench", "1:7: name: 'Bench' is not allowed; allowed: 1 to 40 of the letters a to z, digits and -"),
        ("name: 7", "1:7: name: 7 is not text: put it in quotes"),
        ("name: a\nname: b", "2:1: name: name is already given in line 1: delete one of them"),
        ("name: a\nlog:", "2:1: log: has no value: write one, or delete the line"),
        ("name: a\nlog: null", "2:6: log: null is not a section: write keys under it, as `key: value`"),
        ("name: a\nlogs: {}", "2:1: logs: there is no such key here; did you mean log? Allowed: name, title, "
         "state, files, files_limit, disk, runs, runs_formats, recipes, devices_folder, devices, interlocks, schedules, alarms, mqtt, metrics, api, console, reconnect, log"),
        ("name: a\nlog: {level: loud}",
         "2:14: log.level: 'loud' is not allowed; allowed: 'debug', 'info', 'warning' or 'error'"),
        ("name: a\nlog: &x {}\napi: *x", "3:1: api: aliases (*name) are not used here: write the values out"),
        ("name: !secret a", "1:7: name: YAML tags (!name) are not used here: delete it"),
        ("name: !!int a", "1:7: name: 'a' is not a value of type int"),
        ("name: a\n? [b]\n: c", "2:3: a key must be a single word"),
        ("name: [a", "1:9: not YAML: expected ',' or ']', but got '<stream end>'"),
        ("name: a\n\tlog: {}", "2:1: not YAML: found character '\\t' that cannot start any token"),
        ("%YAML 1.3\n---\nname: a", "1:1: not YAML 1.2: look for a line that begins with %, or for a \\U escape"),
        ("name: a\x07b", "1:8: holds a control character: delete it"),
        ("name: a\nfiles_limit: 0", "2:14: files_limit: 0 is not allowed; it must be 1 or more"),
        ("name: a\nfiles_limit: 2000000", "2:14: files_limit: 2000000 is not allowed; it must be 1000000 or less"),
        ("name: a\nfiles_limit: 4 GB", "2:14: files_limit: '4 GB' is not a whole number"),
        ("name: a\nstate: ''", "2:8: state: '' is not a path: put it in quotes if it looks like a number"),
        ("name: a\ntitle: {ko: 2024}", "2:13: title.ko: 2024 is not text: put it in quotes"),
        ("name: a\nmqtt: {port: 1}", "2:1: mqtt.host: is missing: add it. Name or IP address of the broker."),
        ("name: a\nmqtt: {host: 'a:1'}",
         "2:14: mqtt.host: 'a:1' is not a host: write a name or an IP address alone, without a port"),
        ("name: a\nmqtt: {host: a, protocol: 3.1}",
         "2:27: mqtt.protocol: 3.1 is not a version of MQTT; allowed: 5, 3.1.1"),
        ("name: a\nmqtt: {host: a, port: '1883'}", "2:23: mqtt.port: '1883' is not a whole number"),
        ("name: a\nmqtt: {host: a, port: 0}", "2:23: mqtt.port: 0 is not allowed; it must be 1 or more"),
        ("name: a\nmqtt: {host: a, commands: yes}", "2:27: mqtt.commands: 'yes' is neither true nor false"),
        ("name: a\nmqtt: {host: a, role: boss}",
         "2:23: mqtt.role: 'boss' is not a role; allowed: observer, technician, engineer, qa, administrator"),
        ("name: a\nreconnect: {most: .inf}", "2:19: reconnect.most: inf is not a finite number"),
        ("name: a\nreconnect: {most: 4 s}",
         "2:19: reconnect.most: '4 s' is not a number; write it without quotes and without a unit"),
        ("name: a\napi: {listen: '0.0.0.0:80'}",
         "2:15: api.listen: '0.0.0.0:80' can be reached from the network, which is open only behind TLS, "
         "as api.network; here it listens on this machine: write 127.0.0.1:80"),
        ("name: a\napi: {listen: 8080}", "2:15: api.listen: 8080 is not a host and a port such as 127.0.0.1:8080"),
        ("name: a\napi: {listen: '127.0.0.1:9464'}",
         "2:15: api.listen: metrics.listen is 127.0.0.1:9464 as well: give each its own port"),
        ("name: a\ndevices: {Psu1: {}}",
         "2:11: devices.Psu1: 'Psu1' is not allowed; allowed: 1 to 40 of the letters a to z, digits and _, "
         "a letter first"),
        (f"name: a\ndevices: {{all: {{{PSU}}}}}",
         "2:11: devices.all: all has a meaning of its own in commands: choose another name"),
        ("name: a\ndevices_folder: none", "2:17: devices_folder: can't be read: no such file or directory"),
        ("name: a\nreconnect: {first: 5, most: 4}",
         "2:20: reconnect.first: 5 s is above most, 4 s: the waits grow from first to most"),
    ],
)  # fmt: skip
def test_a_wrong_station_is_told_where_and_what_is_allowed(
    text: str, complaint: str, tmp_path: Path
) -> None:
    assert f"station.yaml:{complaint}" in complaints(tmp_path, text)


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ("driver: ^toy.supplx, address: tcp://a:1",
         "driver: no driver is called 'toy.supplx'; did you mean toy.supply? Allowed: "
         "toy.broken, toy.network, toy.oven, toy.printer, toy.supply"),
        ("driver: ^toy.broken, address: tcp://a:1",
         "driver: toy.broken can't be loaded: No module named 'tests.agent.no_such_module'"),
        ("driver: toy.supply, address: ^tcp://a",
         "address: 'tcp://a' needs a host and a port, such as tcp://192.0.2.7:5025"),
        ("driver: toy.oven, address: ^tcp://a:1",
         "address: toy.oven speaks Modbus registers: use modbus+tcp://…, modbus+rtu://… or "
         "modbus+rtu+tcp://…, not tcp://"),
        (f"{PSU}, poll: {{^voltag: 1}}",
         "poll.voltag: toy.supply has no such reading; did you mean voltage? Allowed: "
         "measured_voltage, voltage, output"),
        (f"{PSU}, poll: {{voltage: ^0.01}}",
         "poll.voltage: 0.01 s is too fast; allowed: 0.05 s or more, or 0 for only when asked"),
        (f"{PSU}, limits: {{^output: {{low: 0}}}}",
         "limits.output: toy.supply has nothing of this name with a range; allowed: voltage, ramp.to"),
        (f"{PSU}, limits: {{voltage: {{low: 0, high: ^20}}}}",
         "limits.voltage.high: 20 V is above 16 V, the limit set by the model; a config can only narrow it"),
        (f"{PSU}, limits: {{voltage: {{low: ^5, high: 2}}}}",
         "limits.voltage.low: 5 is above high, 2: nothing would be allowed"),
        (f"{PSU}, limits: {{voltage: ^{{}}}}", "limits.voltage: limits nothing: give low, high or both"),
        (f"{PSU}, timeouts: {{whole: ^0}}", "timeouts.whole: 0 is not allowed; it must be above 0"),
        (f"{PSU}, ^limit: {{}}",
         "limit: there is no such key here; did you mean limits? Allowed: driver, address, title, "
         "simulated, serial_number, poll, limits, timeouts, registers, printer, access, on_shutdown, offline_alarm, safe_by, calibrated_until, enabled"),
        (f"{PSU}, title: {{^de: x}}", "title.de: there is no such key here; allowed: ko, en"),
    ],
)  # fmt: skip
def test_a_wrong_device_is_told_the_same_way_in_file_and_folder(
    keys: str, complaint: str, tmp_path: Path
) -> None:
    offset, keys = keys.index("^"), keys.replace("^", "")  # ^ is where the complaint points
    write(tmp_path, f"{{{keys}}}", "rig/psu2.yaml")
    found = complaints(tmp_path, f"name: a\ndevices_folder: rig\ndevices:\n  psu1: {{{keys}}}")
    assert f"station.yaml:4:{offset + 10}: devices.psu1.{complaint}" in found
    assert f"rig/psu2.yaml:1:{offset + 2}: {complaint}" in found


def test_everything_is_said_at_once_over_all_files(tmp_path: Path) -> None:
    write(tmp_path, "driver: toy.oven\naddress: here\npol: 1", "rig/oven1.yaml")
    write(tmp_path, "a: b: c", "rig/oven2.yaml")
    write(tmp_path, "driver: toy.supply\naddress: tcp://a:9", "rig/Psu.yaml")
    write(tmp_path, "{" + PSU + "}", "rig/psu9.yml")
    found = complaints(
        tmp_path,
        f"""\
        name: A
        devices_folder: rig
        log: {{level: loud, colour: true}}
        devices:
          psu1: {{{PSU}, poll: {{x: 1}}}}
          psu2: {{driver: none, address: none}}
          psu3: {{}}
        """,
    )
    assert [line.split(": ")[0] for line in found] == [
        "rig/Psu.yaml",
        "rig/oven1.yaml:2:10",
        "rig/oven1.yaml:3:1",
        "rig/oven2.yaml:1:5",
        "rig/psu9.yml",
        "station.yaml:1:7",
        "station.yaml:3:14",
        "station.yaml:3:20",
        "station.yaml:5:67",
        "station.yaml:6:18",
        "station.yaml:6:33",
        "station.yaml:7:3",
        "station.yaml:7:3",
    ]


def test_one_mistake_in_a_device_or_in_the_station_hides_no_other(tmp_path: Path) -> None:
    found = complaints(
        tmp_path,
        """\
        name: A
        reconnect: {first: 9, most: 1}
        devices:
          psu1:
            driver: toy.cupboard
            address: tpc://192.0.2.1:1
            poll: {voltage: 0.01}
          psu2:
            driver: toy.supply
            address: tcp://192.0.2.1:2
            on_shutdown: safe
            limits: {voltage: {high: 99, hihg: 3}}
            poll: {voltag: 1}
        """,
    )
    assert [line.split(": ")[1] for line in found] == [
        "name",
        "reconnect.first",
        "devices.psu1.driver",
        "devices.psu1.address",
        "devices.psu1.poll.voltage",
        "devices.psu2.on_shutdown",
        "devices.psu2.limits.voltage.high",
        "devices.psu2.limits.voltage.hihg",
        "devices.psu2.poll.voltag",
    ]


@pytest.mark.parametrize(
    ("first", "second", "complaint"),
    [
        (PSU, PSU, "one ({}:3) is at this address: give this one its own"),
        (f"{OVEN}: 'modbus+tcp://a?unit=2'", f"{OVEN}: 'modbus+tcp://a?unit=2'",
         "one ({}:3) is unit 2 of this bus: give this one its own"),
        (f"{OVEN}: 'modbus+tcp://a'", f"{OVEN}: 'modbus+tcp://a:502?unit=01'",
         "one ({}:3) is unit 1 of this bus: give this one its own"),
        (f"{OVEN}: 'modbus+rtu:///dev/x?unit=1&baudrate=9600'",
         f"{OVEN}: 'modbus+rtu:///dev/x?unit=2&baudrate=19200'",
         "one ({}:3) uses /dev/x with other settings: give both the same scheme and options, "
         "as in modbus+rtu:///dev/x?unit=1&baudrate=9600"),
    ],
)  # fmt: skip
def test_two_devices_can_not_claim_one_place(
    first: str, second: str, complaint: str, tmp_path: Path
) -> None:
    (found,) = problems(
        write(tmp_path, f"name: a\ndevices:\n  one: {{{first}}}\n  two: {{{second}}}")
    )
    assert (found.key, found.line) == ("devices.two.address", 4)
    assert found.text == complaint.format(tmp_path / "station.yaml")


def test_a_disabled_device_claims_nothing(tmp_path: Path) -> None:
    devices = f"one: {{{PSU}}}, two: {{{PSU}, enabled: false}}"
    assert len(load(write(tmp_path, f"name: a\ndevices: {{{devices}}}")).devices) == 2


def test_a_name_in_file_and_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "# second\ndriver: toy.supply\naddress: tcp://a:2", "rig/psu1.yaml")
    found = complaints(tmp_path, f"name: a\ndevices_folder: rig\ndevices: {{psu1: {{{PSU}}}}}")
    assert found == [
        "rig/psu1.yaml:2:1: psu1 is already described at station.yaml:3: delete one of them"
    ]


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"name: a\ntitle: {en: \xe9t\xe9}")
    (latin,) = problems(tmp_path / "latin.yaml")
    assert (latin.line, latin.column) == (2, 13)
    assert latin.text == "byte 0xe9 is not UTF-8: save the file as UTF-8 text"
    for file in (tmp_path / "missing.yaml", tmp_path):
        (problem,) = problems(file)
        assert str(problem).startswith(f"{file}: can't be read: ")


EXAMPLE = (CONFIG / "station.example.yaml").read_text("utf-8")
TOY_OF = {
    "siglent.spd1000x": "toy.supply",
    "autonics.tk4": "toy.oven",
    "keysight.34460a": "toy.supply",
}
LINES = re.sub("|".join(TOY_OF), lambda name: TOY_OF[name[0]], EXAMPLE).splitlines(keepends=True)
FRAGMENTS = st.one_of(
    st.sampled_from(
        [": ", "- ", "{", "}", "[", "*a ", "&a ", "!!int ", "\n", "  ", "\t", "'", '"\\ud800"', "~",
         "<<: ", "---\n", "%YAML 1.3\n", "null", "1e999", "0x", "9" * 5000, "\r", "\u2028", "# ",
         '"\\UFFFFFFFF"', "? "]
    ),
    st.text(max_size=5),
)  # fmt: skip


@st.composite
def edited(draw: st.DrawFn) -> str:
    """The example after a few slips: lines lost, doubled or swapped, and words put anywhere."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 3))):
        at, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        match draw(st.sampled_from(["lose", "double", "swap", "insert", "insert"])):
            case "lose":
                del lines[at]
            case "double":
                lines.insert(other, lines[at])
            case "swap":
                lines[at], lines[other] = lines[other], lines[at]
            case "insert":
                column = draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:column] + draw(FRAGMENTS) + lines[at][column:]
    return "".join(lines)


@pytest.mark.timeout(120)  # YAML with its places is read slowly, a hundred times
@settings(max_examples=40)
@given(text=edited())
def test_a_slip_of_the_pen_never_becomes_a_traceback(text: str, tmp_path: Path) -> None:
    file = tmp_path / "station.yaml"
    (tmp_path / "devices.example").mkdir(exist_ok=True)
    file.write_bytes(text.encode("utf-8"))
    try:
        load(file)
    except ConfigError as error:
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for problem in error.problems:
            assert 1 <= problem.line <= len(lines)
            assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
            str(problem).encode("utf-8")
