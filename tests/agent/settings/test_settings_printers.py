"""What a config says of printers: the files that they may get, and who the agent says it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.fleet.plan import plan_for
from agent.settings import Reconnect, changed, missing
from drivers import Access, Bound, Buffers, Profile
from tests.agent.settings_bench import complaints, loaded, use_toys, write

SERIAL = "driver: toy.printer, address: 'tcp://192.0.2.1:1'"
NETWORK = "driver: toy.network, address: 'http://192.0.2.2'"
SUPPLY = "driver: toy.supply, address: 'tcp://192.0.2.3:1'"

PRINTER = """\
    name: bench-3
    devices:
      printer1:
        driver: toy.printer
        address: tcp://192.0.2.1:1
        printer:
          volume:
            x: [-5, 220]
            z: [0, 250.5]
          feed: 12000
          nozzle: 250
          bed: 90.5
          chamber: 60
          allow: [M500, G29.1, SAVE_CONFIG]
          forbid: [M600, _BED_MESH]
          pause:
            - G91
            - G1 Z10 F600
          resume: []
          cancel: [M104 S0]
          buffers: {lines: 4, bytes: 128}
"""


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    use_toys(monkeypatch)


def test_a_profile_is_what_the_driver_gets_and_every_bound_names_its_line(tmp_path: Path) -> None:
    device = loaded(tmp_path, PRINTER).devices["printer1"]
    file = tmp_path / "station.yaml"
    assert device.profile == Profile(
        volume={"X": (-5.0, 220.0), "Z": (0.0, 250.5)},
        source=f"{file}:6",
        feed=Bound(12000, f"{file}:10"),
        nozzle=Bound(250, f"{file}:11"),
        bed=Bound(90.5, f"{file}:12"),
        chamber=Bound(60, f"{file}:13"),
        allow=frozenset({"M500", "G29.1", "SAVE_CONFIG"}),
        forbid=frozenset({"M600", "_BED_MESH"}),
        pause=("G91", "G1 Z10 F600"),
        resume=(),
        cancel=("M104 S0",),
        buffers=Buffers(4, 128),
    )
    plan = plan_for(device, Reconnect())
    assert plan.profile is device.profile
    assert plan.access is None


def test_without_a_section_a_printer_has_the_driver_s_own_profile(tmp_path: Path) -> None:
    found = loaded(tmp_path, f"name: a\ndevices: {{printer1: {{{SERIAL}}}}}")
    assert found.devices["printer1"].profile == Profile()
    assert found.devices["printer1"].access is None


def test_secrets_are_beside_the_station_s_file_also_for_a_device_of_the_folder(
    tmp_path: Path,
) -> None:
    key = "access: {key_file: printer2-key}"
    password = "access: {user: maker, password_file: /etc/secret}"
    write(tmp_path, f"{{{NETWORK}, {key}}}", "rig/printer2.yaml")
    third = NETWORK.replace("http://192.0.2.2", "https://192.0.2.3")
    devices = f"devices: {{printer3: {{{third}, {password}}}}}"
    found = loaded(tmp_path, f"name: a\ndevices_folder: rig\n{devices}").devices
    assert found["printer2"].access == Access(key_file=tmp_path / "printer2-key")
    assert found["printer3"].access == Access(user="maker", password_file=Path("/etc/secret"))
    assert plan_for(found["printer2"], Reconnect()).access is found["printer2"].access


def test_a_secret_that_is_not_there_is_no_mistake_and_is_warned_of(tmp_path: Path) -> None:
    text = f"name: a\ndevices:\n  printer2: {{{NETWORK}, access: {{key_file: key}}}}"
    found = loaded(tmp_path, text)
    assert list(missing(found)) == [
        f"{tmp_path}/station.yaml:3: devices.printer2.access.key_file: there is no file "
        f"{tmp_path}/key here now: write the secret there"
    ]
    (tmp_path / "key").write_text("open sesame\n")
    assert list(missing(found)) == []


def test_the_room_for_files_is_given_in_megabytes(tmp_path: Path) -> None:
    assert loaded(tmp_path, "name: a").files_limit == 4_096_000_000
    assert loaded(tmp_path, "name: a\nfiles_limit: 1").files_limit == 1_000_000


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("nozzle: 250", "nozzle: 240"),
        ("feed: 12000", "feed: 9000"),
        ("x: [-5, 220]", "x: [-5, 200]"),
        ("forbid: [M600", "forbid: [M601"),
        ("G1 Z10 F600", "G1 Z5 F600"),
        ("lines: 4", "lines: 8"),
    ],
)
def test_a_changed_profile_is_a_changed_device(old: str, new: str, tmp_path: Path) -> None:
    assert old in PRINTER
    found = changed(loaded(tmp_path, PRINTER), loaded(tmp_path, PRINTER.replace(old, new)))
    assert (found.changed, found.moved) == (("printer1",), ())


def test_a_changed_access_is_a_changed_device(tmp_path: Path) -> None:
    text = f"name: a\ndevices:\n  printer2: {{{NETWORK}, access: {{key_file: one}}}}"
    found = changed(loaded(tmp_path, text), loaded(tmp_path, text.replace("one", "two")))
    assert (found.changed, found.moved) == (("printer2",), ())


def test_a_profile_on_other_lines_only_moved(tmp_path: Path) -> None:
    found = changed(loaded(tmp_path, PRINTER), loaded(tmp_path, f"# new\n{PRINTER}"))
    assert (found.changed, found.moved) == ((), ("printer1",))


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        (f"{SUPPLY}, ^printer: {{}}", "printer: toy.supply prints no files: delete it"),
        (f"{SERIAL}, printer: {{volume: {{x: ^[220, 0]}}}}",
         "printer.volume.x: 220 is not below 0: write [lowest, highest]"),
        (f"{SERIAL}, printer: {{volume: {{x: ^[1]}}}}",
         "printer.volume.x: [1] is not two numbers in mm: write [lowest, highest]"),
        (f"{SERIAL}, printer: {{volume: {{y: ^[0, true]}}}}",
         "printer.volume.y: [0, True] is not two numbers in mm: write [lowest, highest]"),
        (f"{SERIAL}, printer: {{volume: {{z: ^[0, .inf]}}}}",
         "printer.volume.z: [0, inf] is not two numbers in mm: write [lowest, highest]"),
        (f"{SERIAL}, printer: {{volume: {{^u: [0, 1]}}}}",
         "printer.volume.u: there is no such key here; allowed: x, y, z"),
        (f"{SERIAL}, printer: {{feed: ^0}}", "printer.feed: 0 is not allowed; it must be above 0"),
        (f"{SERIAL}, printer: {{nozzle: ^300}}",
         "printer.nozzle: 300 °C is above 275 °C, the limit set by the model; a profile can only narrow it"),
        (f"{SERIAL}, printer: {{bed: ^110.5}}",
         "printer.bed: 110.5 °C is above 110 °C, the limit set by the model; a profile can only narrow it"),
        (f"{NETWORK}, printer: {{nozzle: ^301}}",
         "printer.nozzle: 301 °C is above 300 °C, the limit set by the model; a profile can only narrow it"),
        (f"{SERIAL}, printer: {{nozzle: ^'250'}}",
         "printer.nozzle: '250' is not a number; write it without quotes and without a unit"),
        (f"{SERIAL}, printer: {{allow: [M500, ^m600]}}",
         "printer.allow.1: 'm600' is not allowed; allowed: G, M or T and a number, such as M500, or a macro in capitals, such as SAVE_CONFIG"),
        (f"{SERIAL}, printer: {{forbid: [^M0600]}}",
         "printer.forbid.0: 'M0600' is not allowed; allowed: G, M or T and a number, such as M500, or a macro in capitals, such as SAVE_CONFIG"),
        (f"{SERIAL}, printer: {{forbid: ^M600}}",
         "printer.forbid: 'M600' is not a list: write [one, two]"),
        (f"{SERIAL}, printer: {{pause: [G91, ^'G1 Z10 ; up']}}",
         "printer.pause.1: 'G1 Z10 ; up' has a comment, which would be sent too: write it after a #"),
        (f"{SERIAL}, printer: {{resume: [^'주의']}}",
         "printer.resume.0: '주의' is not allowed; allowed: a line of G-code in capital letters, such as "
         "G1 X0 F6000"),
        (f"{SERIAL}, printer: {{cancel: [^'']}}",
         "printer.cancel.0: '' is not allowed; allowed: a line of G-code in capital letters, such as "
         "G1 X0 F6000"),
        (f"{SERIAL}, printer: {{cancel: [^'M117 {'x' * 80}']}}",
         "printer.cancel.0: is longer than 80 characters"),
        (f"{SERIAL}, printer: {{pause: ^[{', '.join(['G91'] * 51)}]}}",
         "printer.pause: has 51 entries; at most 50 are taken"),
        (f"{SERIAL}, printer: {{^buffers: {{lines: 4}}}}",
         "printer.buffers.bytes: is missing: add it. Bytes that its receive buffer holds (RX_BUFFER_SIZE)."),
        (f"{SERIAL}, printer: {{buffers: {{lines: ^0, bytes: 128}}}}",
         "printer.buffers.lines: 0 is not allowed; it must be 1 or more"),
        (f"{SERIAL}, printer: {{^nozle: 1}}",
         "printer.nozle: there is no such key here; did you mean nozzle? Allowed: volume, feed, nozzle, bed, "
         "chamber, allow, forbid, pause, resume, cancel, buffers"),
        (f"{NETWORK}, printer: {{^pause: [G91]}}",
         "printer.pause: toy.network prints by itself, in its own way: delete it, and set it there"),
        (f"{NETWORK}, printer: {{^buffers: {{lines: 4, bytes: 128}}}}",
         "printer.buffers: toy.network prints by itself, in its own way: delete it, and set it there"),
        (f"{SERIAL}, ^access: {{key_file: k}}",
         "access: only http:// and https:// ask who we are, tcp:// does not: delete it"),
        (f"{NETWORK}, access: {{user: ^maker}}",
         "access.user: is of no use alone: give password_file as well"),
        (f"{NETWORK}, access: {{password_file: ^p, key_file: k}}",
         "access.password_file: is of no use alone: give user as well"),
        (f"{NETWORK}, access: ^{{}}",
         "access: says nothing: give key_file, or user and password_file"),
        (f"{NETWORK}, access: {{^key: abc}}",
         "access.key: there is no such key here; allowed: user, password_file, key_file"),
        ("driver: toy.network, address: ^'tcp://192.0.2.2:80'",
         "address: toy.network speaks HTTP: use http://… or https://…, not tcp://"),
        ("driver: toy.printer, address: ^'http://192.0.2.2'",
         "address: toy.printer speaks bytes: use serial://…, tcp://… or visa://…, not http://"),
        ("driver: toy.network, address: ^'http://192.0.2.2?unit=1'",
         "address: http:// has no option 'unit'; options: none"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_printer_is_told_the_same_way_in_file_and_folder(
    keys: str, complaint: str, tmp_path: Path
) -> None:
    offset, keys = keys.index("^"), keys.replace("^", "")  # ^ is where the complaint points
    write(tmp_path, f"{{{keys}}}", "rig/psu2.yaml")
    found = complaints(tmp_path, f"name: a\ndevices_folder: rig\ndevices:\n  psu1: {{{keys}}}")
    assert f"station.yaml:4:{offset + 10}: devices.psu1.{complaint}" in found
    assert f"rig/psu2.yaml:1:{offset + 2}: {complaint}" in found


def test_a_code_can_not_be_allowed_and_forbidden(tmp_path: Path) -> None:
    lists = "printer: {allow: [M500, M600], forbid: [G29, M600]}"
    (found,) = complaints(tmp_path, f"name: a\ndevices:\n  p1: {{{SERIAL}, {lists}}}")
    assert "devices.p1.printer.forbid.1: M600 is allowed as well (" in found
    assert found.endswith("station.yaml:3): delete one of them")


def test_a_file_may_not_heat_beyond_the_limit_that_the_config_itself_has_set(
    tmp_path: Path,
) -> None:
    (found,) = complaints(
        tmp_path,
        """\
        name: a
        devices:
          printer1:
            driver: toy.printer
            address: tcp://192.0.2.1:1
            limits: {nozzle_target: {high: 240}}
            printer: {nozzle: 250, bed: 100}
        """,
    )
    assert found == (
        "station.yaml:7:23: devices.printer1.printer.nozzle: 250 °C is above 240 °C, the limit set "
        f"by {'station.yaml:6'}; a profile can only narrow it"
    )


def test_a_limit_that_is_wrong_itself_is_the_only_thing_that_is_told(tmp_path: Path) -> None:
    limits = "limits: {nozzle_target: {high: 999}}, printer: {nozzle: 250}"
    (found,) = complaints(tmp_path, f"name: a\ndevices:\n  p1: {{{SERIAL}, {limits}}}")
    assert "limits.nozzle_target.high: 999 °C is above 275 °C" in found


def test_one_mistake_in_a_profile_hides_no_other(tmp_path: Path) -> None:
    found = complaints(
        tmp_path,
        """\
        name: a
        devices:
          printer1:
            driver: toy.printer
            address: tcp://192.0.2.1:1
            access: {user: maker}
            printer:
              nozzle: 300
              volume: {x: [1, 0], y: [0, 200]}
              allow: [m1]
              forbid: [M2]
              pause: [";"]
              buffers: {lines: 0, bytes: 1}
        """,
    )
    assert [line.split(": ")[1] for line in found] == [
        "devices.printer1.access",
        "devices.printer1.printer.nozzle",
        "devices.printer1.printer.volume.x",
        "devices.printer1.printer.allow.0",
        "devices.printer1.printer.pause.0",
        "devices.printer1.printer.buffers.lines",
        "devices.printer1.printer.buffers.bytes",
    ]


def test_two_printers_can_not_be_at_one_host_and_port(tmp_path: Path) -> None:
    other = NETWORK.replace("192.0.2.2", "192.0.2.2:80")
    (found,) = complaints(tmp_path, f"name: a\ndevices:\n  p1: {{{NETWORK}}}\n  p2: {{{other}}}")
    assert "p1 (station.yaml:3) is at this address: give this one its own" in found
    apart = NETWORK.replace("192.0.2.2", "192.0.2.2:81")
    assert loaded(tmp_path, f"name: a\ndevices:\n  p1: {{{NETWORK}}}\n  p2: {{{apart}}}").devices
