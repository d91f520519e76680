"""What the agent tells of itself: its process, version, config, clock, certificates, and how its loop lags."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from prometheus_client import ProcessCollector
from prometheus_client.metrics_core import Metric

from agent.clock import Clock
from agent.metrics.families import gauge, histogram, info, one
from agent.metrics.slices import cumulated
from agent.settings import Station as Settings
from agent.settings.certificate import expiry_of
from agent.spread import Spread
from agent.station import Start, Station
from agent.store.clock_sync import clock_synced

LOOK_WITHIN_S: Final = 1.0
LAG_EVERY_S: Final = 0.5
LAG_BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class LoopLag:
    """How much later than asked for the loop ran again, each time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.seen = Spread(LAG_BOUNDS)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            due = self._clock.monotonic() + LAG_EVERY_S
            await self._clock.sleep(LAG_EVERY_S)
            self.seen.took(max(0.0, self._clock.monotonic() - due))

    def families(self) -> Iterator[Metric]:
        """Yield what was seen."""
        family = histogram("event_loop_lag_seconds")
        family.add_metric((), cumulated(LAG_BOUNDS, self.seen.counts), self.seen.seconds)
        yield family


class Itself:
    """The rest. What is in files, or takes the processor for a while, is looked at beside the loop."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._process = ProcessCollector(registry=None)
        self._found: tuple[Metric, ...] = ()
        self._looking: asyncio.Future[tuple[Metric, ...]] | None = None

    async def look(self) -> None:
        """See how things are now, or were last where a disk that hangs does not let us look.

        Scrapes at the same time share a look, so that no threads pile up before such a disk.
        """
        loop = asyncio.get_running_loop()
        if self._looking is None or self._looking.done():
            self._looking = loop.run_in_executor(None, lambda: tuple(self._look(loop)))
        looking = self._looking
        await asyncio.wait([looking], timeout=LOOK_WITHIN_S)
        if looking.done():
            self._found = looking.result()

    def families(self) -> Iterable[Metric]:
        """What was seen last, and which agent it is."""
        yield info("build_info", self._station.version)
        yield from self._found

    def _look(self, loop: asyncio.AbstractEventLoop) -> Iterator[Metric]:
        yield from self._process.collect()
        yield one("threads", threading.active_count())
        yield one("tasks", len(asyncio.all_tasks(loop)))
        synced = gauge("clock_synchronized")
        if (is_synced := clock_synced()) is not None:
            synced.add_metric((), float(is_synced))
        yield synced
        if self._station.start is not None:
            yield from self._config(self._station.start)

    def _config(self, start: Start) -> Iterator[Metric]:
        yield one("config_timestamp_seconds", start.config_read)
        if (ledger := self._station.ledger) is not None:
            yield info("config_info", ledger.provenance.config_hash)
        certificates = gauge("certificate_expiry_timestamp_seconds")
        for door, certificate in _certificates(start.settings):
            if (ends := expiry_of(certificate)) is not None:
                certificates.add_metric((door,), ends)
        yield certificates
        calibrations = gauge("calibration_expiry_timestamp_seconds")
        for device in start.settings.devices.values():
            if device.enabled and device.calibrated_until is not None:
                calibrations.add_metric((device.name,), end_of(device.calibrated_until))
        yield calibrations


def _certificates(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Those by which others know the station: at its door, and at the broker."""
    if settings.api.network is not None:
        yield "network", settings.api.network.certificate
    tls = settings.mqtt.tls if settings.mqtt is not None else None
    if tls is not None and tls.certificate is not None:
        yield "mqtt", tls.certificate


def end_of(day: date) -> float:
    """When a day ends in UTC, in seconds."""
    return datetime.combine(day + timedelta(days=1), time(), UTC).timestamp()
