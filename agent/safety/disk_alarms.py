"""The alarms of a disk that fills: one for each mark, the more urgent the less is free."""

from __future__ import annotations

from typing import Final

from agent.safety.alarm import Notice
from agent.safety.alarms import Alarms
from agent.store.disk_watch import Fill

_ROOM: Final = {
    "ko": "디스크에 공간을 확보하십시오: 오래된 실행 폴더와 파일을 옮기십시오.",
    "en": "Make room on the disk: move old folders of runs and files away.",
}

NOTICES: Final = {
    Fill.LOW: Notice(
        name="disk.low",
        priority="medium",
        group="disk",
        titles={"ko": "디스크 공간 부족", "en": "The disk fills up"},
        todo=_ROOM,
    ),
    Fill.NO_JOBS: Notice(
        name="disk.no_jobs",
        priority="high",
        group="disk",
        titles={
            "ko": "디스크 공간 부족: 새 작업이 시작되지 않음",
            "en": "The disk is nearly full: no new job begins",
        },
        todo=_ROOM,
    ),
    Fill.NO_DATA: Notice(
        name="disk.no_data",
        priority="critical",
        group="disk",
        titles={
            "ko": "디스크 가득 참: 측정 작업이 중지됨",
            "en": "The disk is full: jobs that measure are stopped",
        },
        todo=_ROOM,
    ),
}
"""By the mark below which each is raised."""


class DiskAlarms:
    """Raises and clears them. To be made before `Alarms.begin`."""

    def __init__(self, alarms: Alarms) -> None:
        self._signals = {fill: alarms.signal(notice) for fill, notice in NOTICES.items()}

    def show(self, fill: Fill, words: str) -> None:
        """The disk is that full, in words: each mark that is passed is an alarm, and no other."""
        for mark, signal in self._signals.items():
            if fill >= mark:
                signal.on(words)
            else:
                signal.off()
