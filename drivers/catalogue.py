"""The drivers by name. A driver's module is imported when a device of its kind is first used.

Other distributions add theirs by the entry point group `labkeeper.drivers`, whose names are
catalogue names and whose values point at driver classes.
"""

from importlib import import_module
from typing import Any, Final

from drivers.driver import Driver
from drivers.errors import UnknownName

DRIVERS: Final = {
    "siglent.spd1000x": "drivers.power.siglent_spd1000x:Spd1000x",
    "siglent.spd1305x": "drivers.power.siglent_spd1000x:Spd1305x",
    "keysight.34460a": "drivers.meters.keysight_34460a:Keysight34460a",
    "autonics.tk4": "drivers.thermal.autonics_tk4:Tk4",
    "printers.marlin": "drivers.printers.marlin:MarlinPrinter",
    "printers.moonraker": "drivers.printers.moonraker:MoonrakerPrinter",
    "printers.prusalink": "drivers.printers.prusalink:PrusaLinkPrinter",
    "printers.octoprint": "drivers.printers.octoprint:OctoPrintPrinter",
    "motion.grbl": "drivers.motion.grbl:GrblStage",
}
GROUP: Final = "labkeeper.drivers"


def names() -> tuple[str, ...]:
    """Every catalogue name, ours and those of plugins, in order."""
    from importlib.metadata import entry_points  # only here and in _plugin: it costs a start 14 ms

    return tuple(sorted({*DRIVERS, *(plugin.name for plugin in entry_points(group=GROUP))}))


def load(name: str) -> type[Driver[Any]]:
    """Return the driver class of this name.

    Raises:
        UnknownName: There is none, or a plugin's could not be imported.
    """
    if name in DRIVERS:
        module, _, attribute = DRIVERS[name].partition(":")
        found = getattr(import_module(module), attribute)
    else:
        found = _plugin(name)
    if not (isinstance(found, type) and issubclass(found, Driver)):
        raise UnknownName(f"{name} is not a driver class but {found!r}")
    return found


def _plugin(name: str) -> Any:
    from importlib.metadata import entry_points

    for plugin in entry_points(group=GROUP, name=name):
        try:
            return plugin.load()
        except (
            Exception
        ) as error:  # a plugin's import may fail in any way; the name is then of no use
            raise UnknownName(f"the plugin of driver {name} can't be loaded: {error}") from error
    raise UnknownName(f"no driver is called {name!r}; drivers: {', '.join(names())}")
