"""Devices of a station: what is the same for all, then a row for each kind.

The panels of a kind ask for its devices alone, so that a row is empty where none of its kind is chosen.
"""

from __future__ import annotations

from typing import Final

from scripts.dashboards.spec import DEVICE as WHICH_DEVICE
from scripts.dashboards.spec import HERE, Board, Panel, Query, Row, trend
from scripts.dashboards.spec import STATION as WHICH
from scripts.dashboards.words import ENERGISED, PROGRESS, SWITCH, UP, Scale, Text

AGE: Final = Scale(limits=((60, "orange"), (600, "red")))


def of(kind: str, series: str) -> str:
    """The series of the devices of one kind."""
    on = "on (site, station, instance, device)"
    return f'{series} and {on} labkeeper_device_info{{@, kind="{kind}"}}'


def values(kind: str, title: Text, series: str, unit: str, *, width: int = 8, about: Text) -> Panel:
    """The readings of one quantity."""
    return trend(title, about, of(kind, series), "{{device}} {{reading}}", unit=unit, width=width)


def energised(kind: str, title: Text, width: int) -> Panel:
    """When what can do harm was on."""
    return Panel(
        kind="timeline",
        title=title,
        about=Text("켜져 있던 시간입니다.", "When it was on."),
        queries=(Query(of(kind, "labkeeper_output_energized{@}"), "{{device}} {{reading}}"),),
        scale=ENERGISED,
        width=width,
        runbook="OutputOnWithoutJob",
    )


MEASURED: Final = Text("측정값과 설정값입니다.", "What was measured, and what it is set to.")
NOW: Final = Row(
    Text("지금", "Now"),
    (
        Panel(
            kind="tiles",
            title=Text("응답", "Answers"),
            about=Text("장치가 응답하는지 보여 줍니다.", "Whether the device answers."),
            queries=(Query("labkeeper_device_up{@}", "{{device}}"),),
            scale=UP,
            runbook="DeviceOffline",
        ),
        Panel(
            kind="list",
            title=Text("설정과 상태", "Settings and states"),
            about=Text(
                "값이 선택지인 것들입니다.",
                "What it is set to and does, of things that have choices.",
            ),
            queries=(Query("labkeeper_choice{@} == 1"),),
            labels=("device", "reading", "choice"),
        ),
        Panel(
            kind="list",
            title=Text("스위치", "Switches"),
            about=Text("켜져 있거나 꺼져 있는 것들입니다.", "What is on or off."),
            queries=(Query("labkeeper_on{@}", column=Text("상태", "State"), scale=SWITCH),),
            labels=("device", "reading"),
        ),
        trend(
            Text("가장 오래된 값", "The oldest value"),
            Text(
                "장치에서 가장 오래전에 읽은 값이 얼마나 지났는지 보여 줍니다.",
                "The age of the value that was read longest ago.",
            ),
            "max by (device) (time() - labkeeper_reading_timestamp_seconds{@})",
            "{{device}}",
            unit="s",
            scale=AGE,
            runbook="ValueStale",
        ),
        trend(
            Text("읽는 데 걸린 시간", "Time a poll takes"),
            Text(
                "읽기 열 번 중 아홉 번은 이 시간 안에 끝납니다.",
                "Nine of ten polls are done within it.",
            ),
            "histogram_quantile(0.9, sum by (device, le) (rate(labkeeper_poll_duration_seconds_bucket{@}[$__rate_interval]))) >= 0",
            "{{device}}",
            unit="s",
            runbook="PollsLate",
        ),
        trend(
            Text("종류별 실패", "Failures by kind"),
            Text(
                "한 시간 동안의 실패 수입니다. 실패가 없었으면 비어 있습니다.",
                "Failures within an hour; empty where there was none.",
            ),
            "sum by (device, kind) (increase(labkeeper_failures_total{@}[1h]))",
            "{{device}} {{kind}}",
            runbook="DeviceOffline",
        ),
    ),
)
SUPPLIES: Final = Row(
    Text("전원 공급기", "Supplies"),
    (
        values(
            "power",
            Text("전압", "Voltage"),
            "labkeeper_voltage_volts{@}",
            "volt",
            width=6,
            about=MEASURED,
        ),
        values(
            "power",
            Text("전류", "Current"),
            "labkeeper_current_amperes{@}",
            "amp",
            width=6,
            about=MEASURED,
        ),
        values(
            "power",
            Text("전력", "Power"),
            "labkeeper_power_watts{@}",
            "watt",
            width=6,
            about=Text("부하에 공급하는 전력입니다.", "Power into the load."),
        ),
        energised("power", Text("출력", "Output"), 6),
    ),
)
OVENS: Final = Row(
    Text("오븐", "Ovens"),
    (
        values(
            "thermal",
            Text("오븐 온도", "Oven temperature"),
            "labkeeper_temperature_celsius{@}",
            "celsius",
            about=MEASURED,
        ),
        values(
            "thermal",
            Text("가열 출력", "Heating output"),
            "labkeeper_ratio{@}",
            "percentunit",
            about=Text(
                "히터에 공급하는 출력의 비율입니다.", "The share of its power that the heater gets."
            ),
        ),
        energised("thermal", Text("가열", "Heating"), 8),
    ),
)
PRINTERS: Final = Row(
    Text("프린터", "Printers"),
    (
        values(
            "printers",
            Text("노즐과 베드 온도", "Nozzle and bed"),
            "labkeeper_temperature_celsius{@}",
            "celsius",
            about=MEASURED,
        ),
        Panel(
            kind="bars",
            title=Text("출력 진행률", "Progress of the print"),
            about=Text("출력 중이 아니면 비어 있습니다.", "Empty while nothing is printed."),
            queries=(Query("labkeeper_print_progress_ratio{@}", "{{device}}"),),
            empty=Text("출력 중 아님", "nothing is printed"),
            unit="percentunit",
            scale=PROGRESS,
            width=4,
            is_full=1,
        ),
        Panel(
            kind="tiles",
            title=Text("남은 시간", "Time to go"),
            about=Text("슬라이서나 프린터의 예상입니다.", "As the slicer or the printer reckons."),
            queries=(Query("labkeeper_print_left_seconds{@}", "{{device}}"),),
            empty=Text("출력 중 아님", "nothing is printed"),
            unit="s",
            width=4,
        ),
        energised("printers", Text("히터와 움직임", "Heaters and motion"), 8),
        values(
            "printers",
            Text("노즐 위치", "Where the nozzle is"),
            'labkeeper_length_meters{@, reading=~"x|y|z"}',
            "lengthm",
            width=12,
            about=Text("축별 위치입니다.", "The position of each axis."),
        ),
        values(
            "printers",
            Text("보낸 줄과 다시 보낸 줄", "Lines sent, and sent again"),
            "labkeeper_value{@}",
            "none",
            width=12,
            about=Text(
                "다시 보낸 줄이 늘면 회선에 문제가 있습니다.",
                "Lines that are sent again tell of a bad line.",
            ),
        ),
    ),
)
STAGES: Final = Row(
    Text("스테이지", "Stages"),
    (
        values(
            "motion",
            Text("스테이지 위치", "Position"),
            'labkeeper_length_meters{@, reading=~"x|y|z"}',
            "lengthm",
            width=6,
            about=Text("축별 기계 좌표입니다.", "The machine position of each axis."),
        ),
        values(
            "motion",
            Text("속도", "Speed"),
            "labkeeper_velocity_meters_per_second{@}",
            "velocityms",
            width=6,
            about=Text("지금의 이송 속도입니다.", "The feed at this moment."),
        ),
        values(
            "motion",
            Text("스핀들 회전수", "Spindle"),
            "labkeeper_rotation_hertz{@}",
            "rothz",
            width=6,
            about=Text("초당 회전수입니다.", "Turns in a second."),
        ),
        energised("motion", Text("움직임", "Motion"), 6),
    ),
)
METERS: Final = Row(
    Text("계측기", "Meters"),
    (
        values(
            "meters",
            Text("측정한 전압", "Voltage measured"),
            "labkeeper_voltage_volts{@}",
            "volt",
            about=MEASURED,
        ),
        values(
            "meters",
            Text("측정한 전류", "Current measured"),
            "labkeeper_current_amperes{@}",
            "amp",
            about=MEASURED,
        ),
        values(
            "meters",
            Text("측정한 저항", "Resistance measured"),
            "labkeeper_resistance_ohms{@}",
            "ohm",
            about=MEASURED,
        ),
    ),
)
DEVICE: Final = Board(
    uid="labkeeper-device",
    title=Text("장치", "Device"),
    about=Text(
        "한 스테이션의 장치와 그 값입니다. 종류별로 한 행입니다.",
        "Devices of a station and their values, a row for each kind.",
    ),
    choices=(WHICH, WHICH_DEVICE),
    scope=f'{HERE}, device=~"$device"',
    rows=(NOW, SUPPLIES, OVENS, PRINTERS, STAGES, METERS),
)
