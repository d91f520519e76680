"""The files on the drive of a Prusa printer, as PrusaLink takes, shows, prints and deletes them.

Sources: Prusa-Link-Web, spec/openapi.yaml, /api/v1/files; Prusa-Firmware-Buddy,
lib/WUI/nhttp/gcode_upload.cpp and lib/WUI/link_content/prusa_api_helpers.cpp: 411 without a length,
501 for an empty file, 507 for a full drive, 409 with the file kept when it can't be printed.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from simulators.printer_storage import NoSuchFile, StorageFull, StoredFile
from simulators.prusalink_state import MOUNT, PRINTABLE, PrusaState

LARGEST: Final = 2**32 - 1
"""Bytes that one file may have on a FAT32 drive."""


class Refused(Exception):
    """A refusal with an HTTP status and what is said of it."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(message)
        self.status, self.message = status, message


class PrusaFiles:
    """Answers requests for files; every method raises `Refused`."""

    def __init__(self, state: PrusaState) -> None:
        self._state = state
        self._transfers = 0

    async def answer(self, request: Request) -> Response:
        """Answer a request for ``/api/v1/files/...``."""
        path = _inside("/" + request.path_params["path"])
        match request.method:
            case "GET" | "HEAD":
                return self._describe(path)
            case "PUT":
                return await self._upload(request, path)
            case "POST":
                self._print(self._find(path))
            case _:
                self._delete(self._find(path))
        return Response(status_code=204)

    async def download(self, request: Request) -> Response:
        """Answer a request for the bytes of a file."""
        file = self._find(request.path_params["path"])
        return Response(file.content, media_type="application/octet-stream")

    def _find(self, path: str) -> StoredFile:
        try:
            return self._state.find(path)
        except NoSuchFile as error:
            raise Refused(404) from error

    def _describe(self, path: str) -> Response:
        try:
            file = self._state.find(path)
        except NoSuchFile as error:
            folder = self._state.folder(path)
            if folder is None:
                raise Refused(404) from error
            return JSONResponse(folder, headers={"Read-Only": "false"})
        printed = "true" if self._state.being_printed(file) else "false"
        headers = {"Read-Only": "false", "Currently-Printed": printed}
        return JSONResponse(self._state.describe(file), headers=headers)

    def _delete(self, file: StoredFile) -> None:
        if self._state.being_printed(file):
            raise Refused(409, "File is busy")
        self._state.storage.delete(file.path)

    def _print(self, file: StoredFile) -> None:
        if not self._state.may_print:
            raise Refused(409)
        self._state.ready = False
        self._state.printer.start(file.path, file.content, by="api")

    # Uploads

    async def _upload(self, request: Request, path: str) -> Response:
        size = self._check_request(request)
        self._check_place(path, size, overwrite=request.headers.get("Overwrite") == "?1")
        to_print = request.headers.get("Print-After-Upload") == "?1"
        try:
            content = await self._receive(request, path, size, to_print=to_print)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody hears it, and nothing is kept
        finally:
            self._state.transfer = None
        content = self._state.storage.spoil(content)
        try:
            file = self._state.storage.store(path, content, self._state.printer.clock)
        except StorageFull as error:
            raise Refused(507, "USB write error or USB full") from error
        if to_print:
            self._print_uploaded(file)
        return JSONResponse(self._state.describe(file), 201)

    def _print_uploaded(self, file: StoredFile) -> None:
        try:
            self._print(file)
        except Refused as refused:
            raise Refused(409, "Can't print right now") from refused

    def _check_request(self, request: Request) -> int:
        length = request.headers.get("Content-Length", "")
        if not length.isdigit():
            raise Refused(411)
        if request.headers.get("Create-Folder") == "?1" or int(length) == 0:
            raise Refused(501, "0-sized files aren't implemented")
        if int(length) > LARGEST:
            raise Refused(413)
        if self._state.transfer is not None:
            raise Refused(409, "Another transfer in progress")
        return int(length)

    def _check_place(self, path: str, size: int, *, overwrite: bool) -> None:
        if not path.lower().endswith(PRINTABLE):
            raise Refused(415, "Not a GCODE")
        try:
            there = self._state.find(path)
        except NoSuchFile:
            there = None
        if there is not None and not overwrite:
            raise Refused(409, "File already exists")
        if there is not None and self._state.being_printed(there):
            raise Refused(409, "File is busy")
        if size > self._state.storage.free:
            raise Refused(507, "USB drive full")

    async def _receive(self, request: Request, path: str, size: int, *, to_print: bool) -> bytes:
        self._transfers += 1
        content = bytearray()
        started = self._state.printer.clock
        self._state.transfer = {"id": self._transfers, "type": "FROM_WEB", "path": MOUNT,
                                "display_name": path.rpartition("/")[2], "size": str(size),
                                "to_print": to_print}  # fmt: skip
        self._note_transfer(0, size, started)
        async for chunk in request.stream():
            content += chunk
            self._note_transfer(len(content), size, started)
        return bytes(content)

    def _note_transfer(self, done: int, size: int, started: float) -> None:
        if self._state.transfer is not None:
            self._state.transfer |= {
                "progress": round(100 * done / size, 2),
                "transferred": done,
                "time_transferring": int(self._state.printer.clock - started),
            }


def _inside(path: str) -> str:
    """The path on the drive. What is outside of it is forbidden, as in the firmware."""
    if ".." in path.split("/"):
        raise Refused(404)
    if path != MOUNT and not path.startswith(MOUNT + "/"):
        raise Refused(403)
    return "/".join(part for part in path[len(MOUNT) :].split("/") if part)
