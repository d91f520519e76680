"""The cards of devices as they change: what each says is written anew only when the device changes."""

from collections.abc import Mapping

from agent.fleet.plan import Plan
from agent.fleet.samples import Snapshot
from agent.station import Station
from agent.web.console.items import Item, Items, device_items, on_a_card


class Cards:
    """The state and the first values of devices, in a language."""

    def __init__(self, station: Station, language: str) -> None:
        self._station, self._language = station, language
        self._kept: dict[str, tuple[Snapshot, Items]] = {}

    def items(self, plans: Mapping[str, Plan]) -> dict[str, Item]:
        """What these devices, by name, show now; nothing of one that is not on the board."""
        found: dict[str, Item] = {}
        for name, plan in plans.items():
            snapshot = self._station.board.latest.get(name)
            if snapshot is None:
                continue
            kept = self._kept.get(name)
            if kept is None or kept[0] is not snapshot:
                shown = device_items(plan, snapshot, on_a_card(plan), self._language)
                kept = self._kept[name] = snapshot, shown
            found.update(kept[1])
        return found


def plans_of(station: Station) -> dict[str, Plan]:
    """The plans of the devices on the board, in the order of their names."""
    shown = sorted(station.board.latest.keys() & station.workers.keys())
    return {name: station.workers[name].plan for name in shown}
