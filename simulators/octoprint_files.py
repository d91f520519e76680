"""The files that OctoPrint keeps in its location ``local``.

Source: docs.octoprint.org, REST API, "File operations". Names are kept in ASCII; what was meant
is `display`. OctoPrint transliterates; here a letter that has no ASCII in it becomes its code.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final
from urllib.parse import quote

from simulators.form_data import FormPart
from simulators.octoprint_host import Conflict, OctoHost
from simulators.printer_storage import NoSuchFile, StorageFull, StoredFile

Json = dict[str, Any]
EXTENSIONS: Final = (".gcode", ".gco", ".g")
TRUE: Final = ("true", "True", "yes", "y", "1", True, 1)


class Refused(Exception):
    """A refusal with its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class OctoFiles:
    """Files by their path, and the names that people gave them.

    `base` is where the server is, ``http://host:port``: addresses of files begin with it.
    """

    def __init__(self, host: OctoHost) -> None:
        self._host = host

    def find(self, path: str) -> StoredFile:
        """Return a file. Raises `Refused` with 404."""
        try:
            return self._host.storage.find(path)
        except NoSuchFile as error:
            raise Refused(404, f"File not found on 'local': {path}") from error

    def listing(self, base: str) -> Json:
        """GET of a location: all files, in one list."""
        storage = self._host.storage
        files = [self.describe(file, base) for file in storage.all()]
        return {"files": files, "free": storage.free, "total": storage.capacity}

    def describe(self, file: StoredFile, base: str) -> Json:
        """GET of one file."""
        prints = [job for job in self._host.printer.jobs if job.name == file.path and job.ended]
        good = sum(job.state == "finished" for job in prints)
        about: Json = self.abridged(file, base) | {
            "hash": file.sha1,
            "size": file.size,
            "date": int(file.modified),
        }
        if prints:
            last = {"date": prints[-1].ended, "success": prints[-1].state == "finished"}
            about["prints"] = {"success": good, "failure": len(prints) - good, "last": last}
        return about

    def abridged(self, file: StoredFile, base: str) -> Json:
        """Return what an upload is answered of its file."""
        where = quote(file.path)
        return {
            "name": file.name,
            "display": self._host.displays.get(file.path, file.name),
            "path": file.path,
            "type": "machinecode",
            "typePath": ["machinecode", "gcode"],
            "origin": "local",
            "refs": {
                "resource": f"{base}/api/files/local/{where}",
                "download": f"{base}/downloads/files/local/{where}",
            },
        }

    def upload(self, form: dict[str, FormPart], base: str, user: str) -> Json:
        """Keep a file, and select or print it when that is asked for and can be done.

        Raises `Refused`: 400 without a file, 409 over the file being printed, 415 for what is no
        G-code, 500 when the disk is full.
        """
        part = form.get("file")
        if part is None or not part.filename:
            raise Refused(400, "No file to upload and no folder to create")
        name = part.filename.rpartition("/")[2]
        folder = form["path"].text.strip("/") if "path" in form else ""
        path = "/".join(sanitize(piece) for piece in f"{folder}/{name}".split("/") if piece)
        if not path.lower().endswith(EXTENSIONS):
            raise Refused(415, "Could not upload the file, invalid type")
        if self._busy(path):
            raise Refused(409, f"Trying to overwrite file that is currently being printed: {path}")
        file = self._store(path, name, self._host.storage.spoil(part.content))
        selected, printed = self._use(form, path, user)
        return {
            "files": {"local": self.abridged(file, base)},
            "done": True,
            "effectiveSelect": selected,
            "effectivePrint": printed,
        }

    def delete(self, path: str) -> None:
        """Throw a file away. Raises `Refused`: 404, and 409 for the file being printed."""
        self.find(path)
        if self._busy(path):
            raise Refused(409, f"Trying to delete a file that is currently in use: {path}")
        if self._host.selected == path:
            self._host.deselect()
        self._host.storage.delete(path)
        self._host.on_event("FileRemoved", {"storage": "local", "path": path})
        self._host.on_event("UpdatedFiles", {"type": "printables"})

    def command(self, path: str, order: Json, user: str) -> None:
        """Select a file, and print it if `print` says so. Raises `Refused`."""
        if order["command"] == "unselect":
            if path not in ("current", self._host.selected):
                raise Refused(400, "Only the currently selected file can be unselected")
            self._host.deselect()
            return
        self.find(path)
        if self._host.printer.active:
            raise Conflict("Printer is already printing, cannot select a new file")
        prints = order.get("print") in TRUE
        if prints and not self._host.operational:
            raise Conflict("Printer is not operational, cannot directly start printing")
        self._host.select(path)
        if prints:
            self._host.start(user)

    def _store(self, path: str, name: str, content: bytes) -> StoredFile:
        try:
            file = self._host.storage.store(path, content, self._host.printer.clock)
        except StorageFull as error:
            raise Refused(500, "Could not upload the file, there is no room for it") from error
        except ValueError as error:
            raise Refused(400, str(error)) from error
        self._host.displays[path] = name
        self._host.on_event("FileAdded", {"storage": "local", "path": path, "name": file.name})
        self._host.on_event("UpdatedFiles", {"type": "printables"})
        return file

    def _use(self, form: dict[str, FormPart], path: str, user: str) -> tuple[bool, bool]:
        """Select and print if that can be done; that it can't is said, and is no error."""
        prints = "print" in form and form["print"].text in TRUE
        selects = prints or ("select" in form and form["select"].text in TRUE)
        if not selects or not self._host.operational or self._host.printer.active:
            return False, False
        self._host.select(path)
        if prints:
            self._host.start(user)
        return True, prints

    def _busy(self, path: str) -> bool:
        return self._host.printer.active and self._host.selected == path


def sanitize(name: str) -> str:
    """Return a name in ASCII, without spaces and signs that mean something to a file system."""
    return re.sub(r"[^A-Za-z0-9._()\-]", "_", "".join(map(_in_ascii, name)))


def _in_ascii(letter: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(c))
    return bare if bare.isascii() else f"u{ord(letter):04x}"
