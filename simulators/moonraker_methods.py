"""The methods of Moonraker's API, the same over JSON-RPC and over HTTP.

Sources: moonraker.readthedocs.io, External API, "Server Administration", "Printer Administration",
"File Management" and "Job History". A method that is not in `METHODS` is not simulated, and is
refused as one that does not exist.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from simulators.moonraker_files import ServerError
from simulators.moonraker_klippy import Klippy
from simulators.moonraker_objects import Wanted, names, query

if TYPE_CHECKING:
    from simulators.moonraker_rpc import Connection, Moonraker

Params = Mapping[str, Any]
CLIENT_TYPES: Final = ("web", "mobile", "desktop", "display", "bot", "agent", "other")


async def server_info(server: Moonraker, _: Params, __: Connection | None) -> Any:
    """Query Server Info."""
    return {
        "klippy_connected": server.klippy.connected,
        "klippy_state": str(server.klippy.state),
        "components": ["file_manager", "klippy_apis", "history", "authorization"],
        "failed_components": [],
        "registered_directories": ["gcodes"],
        "warnings": [],
        "websocket_count": len(server.connections),
        "moonraker_version": "v0.9.3-1-g4e00a07",
        "missing_klippy_requirements": [],
        "api_version": [1, 5, 0],
        "api_version_string": "1.5.0",
    }


async def identify(server: Moonraker, params: Params, connection: Connection | None) -> Any:
    """Identify Connection."""
    if connection is None:
        raise ServerError("Method not found for transport HTTP", 404)
    if connection.identified:
        raise ServerError("Connection already identified")
    for name in ("client_name", "version", "type", "url"):
        _text(params, name)
    if params.get("api_key") == server.key:
        connection.trusted = True
    if not connection.trusted:
        raise ServerError("Unauthorized", 401)
    if _text(params, "type").lower() not in CLIENT_TYPES:
        raise ServerError(f"Invalid Client Type: {params['type']}")
    connection.identified = True
    return {"connection_id": connection.number}


async def printer_info(server: Moonraker, _: Params, __: Connection | None) -> Any:
    """Get Klippy host information."""
    klippy = _connected(server)
    return {
        "state": str(klippy.state),
        "state_message": klippy.message,
        "hostname": "simulated-klipper",
        "klipper_path": "/opt/klipper",
        "python_path": "/opt/klippy-env/bin/python",
        "process_id": 1000,
        "user_id": 1000,
        "group_id": 1000,
        "log_file": "/opt/printer_data/logs/klippy.log",
        "config_file": "/opt/printer_data/config/printer.cfg",
        "software_version": "v0.12.0-430-g329fbd01d",
        "cpu_info": "4 core ?",
    }


async def emergency_stop(server: Moonraker, _: Params, __: Connection | None) -> Any:
    """Emergency Stop."""
    _connected(server).emergency_stop()
    return "ok"


async def restart(server: Moonraker, _: Params, __: Connection | None) -> Any:
    """Host Restart."""
    return await server.gcode("RESTART")


async def firmware_restart(server: Moonraker, _: Params, __: Connection | None) -> Any:
    """Firmware Restart."""
    return await server.gcode("FIRMWARE_RESTART")


async def list_objects(server: Moonraker, _: Params, __: Connection | None) -> Any:
    """List loaded printer objects."""
    return {"objects": names(_connected(server))}


async def query_objects(server: Moonraker, params: Params, _: Connection | None) -> Any:
    """Query printer object status."""
    status = query(_connected(server), _wanted(params))
    return {"eventtime": server.event_time, "status": status}


async def subscribe(server: Moonraker, params: Params, connection: Connection | None) -> Any:
    """Subscribe to printer object status updates: all of it now, changes later."""
    if connection is None:
        raise ServerError("Subscriptions not available for HTTP transport", 404)
    wanted = _wanted(params)
    status = query(_connected(server), wanted)
    connection.wanted, connection.told = wanted, status
    return {"eventtime": server.event_time, "status": status}


async def run_gcode(server: Moonraker, params: Params, _: Connection | None) -> Any:
    """Run a gcode command: answered when the last of them is done."""
    return await server.gcode(_text(params, "script"))


async def start_print(server: Moonraker, params: Params, _: Connection | None) -> Any:
    """Start a print job."""
    return await server.start_print(_text(params, "filename").lstrip("/"))


async def pause_print(server: Moonraker, _: Params, __: Connection | None) -> Any:
    """Pause a print job: answered when it is paused."""
    return await server.gcode("PAUSE")


async def resume_print(server: Moonraker, _: Params, __: Connection | None) -> Any:
    """Resume a print job."""
    return await server.gcode("RESUME")


async def cancel_print(server: Moonraker, _: Params, __: Connection | None) -> Any:
    """Cancel a print job: answered when it has ended."""
    return await server.gcode("CANCEL_PRINT")


async def list_files(server: Moonraker, params: Params, _: Connection | None) -> Any:
    """List available files."""
    return server.files.list(_text(params, "root", "gcodes"))


async def list_roots(server: Moonraker, _: Params, __: Connection | None) -> Any:
    """List registered roots."""
    return server.files.roots()


async def metadata(server: Moonraker, params: Params, _: Connection | None) -> Any:
    """Get GCode Metadata."""
    return server.files.metadata(_text(params, "filename"))


async def delete_file(server: Moonraker, params: Params, _: Connection | None) -> Any:
    """File delete."""
    return server.files.delete(_text(params, "path"))


async def list_history(server: Moonraker, params: Params, _: Connection | None) -> Any:
    """Get job list."""
    order = _text(params, "order", "desc")
    if order.lower() not in ("asc", "desc"):
        raise ServerError(f"Invalid `order` value: {order.upper()}")
    jobs = server.history.entries(
        limit=int(params.get("limit", 50)),
        start=int(params.get("start", 0)),
        since=_number(params, "since"),
        before=_number(params, "before"),
        order=order,
    )
    return {"count": len(jobs), "jobs": jobs}


async def get_job(server: Moonraker, params: Params, _: Connection | None) -> Any:
    """Get a single job."""
    uid = _text(params, "uid")
    entry = server.history.entry(uid)
    if entry is None:
        raise ServerError(f"Invalid job uid: {uid}", 404)
    return {"job": entry}


async def delete_job(server: Moonraker, params: Params, _: Connection | None) -> Any:
    """Delete a job."""
    uid = _text(params, "uid")
    if not server.history.delete(uid):
        raise ServerError(f"Invalid job uid: {uid}", 404)
    return {"deleted_jobs": [uid]}


def _connected(server: Moonraker) -> Klippy:
    if not server.klippy.connected:
        raise ServerError("Klippy Host not connected", 503)
    return server.klippy


def _wanted(params: Params) -> Wanted:
    wanted = params.get("objects")
    if not isinstance(wanted, dict):
        raise ServerError("Missing Argument [objects]")
    for fields in wanted.values():
        if fields is not None and not (
            isinstance(fields, list) and all(isinstance(field, str) for field in fields)
        ):
            raise ServerError("Invalid argument")
    return wanted


def _text(params: Params, name: str, default: str | None = None) -> str:
    value = params.get(name, default)
    if value is None:
        raise ServerError(f"No data for argument: {name}")
    return str(value)


def _number(params: Params, name: str) -> float | None:
    return float(params[name]) if name in params else None


Method = Callable[["Moonraker", Params, "Connection | None"], Awaitable[Any]]

METHODS: Final[dict[str, Method]] = {
    "server.info": server_info,
    "server.connection.identify": identify,
    "printer.info": printer_info,
    "printer.emergency_stop": emergency_stop,
    "printer.restart": restart,
    "printer.firmware_restart": firmware_restart,
    "printer.objects.list": list_objects,
    "printer.objects.query": query_objects,
    "printer.objects.subscribe": subscribe,
    "printer.gcode.script": run_gcode,
    "printer.print.start": start_print,
    "printer.print.pause": pause_print,
    "printer.print.resume": resume_print,
    "printer.print.cancel": cancel_print,
    "server.files.list": list_files,
    "server.files.roots": list_roots,
    "server.files.metadata": metadata,
    "server.files.delete_file": delete_file,
    "server.history.list": list_history,
    "server.history.get_job": get_job,
    "server.history.delete_job": delete_job,
}
