"""The folders of runs: the manifest of a job's, and the files in it."""

import os
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Path, Response
from starlette.responses import StreamingResponse

from agent.languages.message import Message
from agent.store import run_manifest
from agent.store.disk_threads import at_disk_thread
from agent.store.run_files import CHUNK, opened
from agent.store.run_manifest import NAME, SIDECAR
from agent.store.run_shelf import RunShelf
from agent.store.store_errors import NotRead
from agent.web import run_examples as examples
from agent.web.jobs import JobId
from agent.web.problems import Problem
from agent.web.routes import AT_THE_DOOR, LONGEST_SHOWN, TheStation, answers

FINDING: Final = ("no-such", "refused", "not-kept")
MEDIA: Final = {
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".yaml": "application/yaml",
}
ANY_MEDIA: Final = "application/octet-stream"

runs = APIRouter(prefix="/api/v1")

RunFile = Annotated[
    str,
    Path(description="A file as the manifest names it.", examples=["readings/warm_up.csv"]),
]


@runs.get(
    "/jobs/{job}/run",
    summary="The manifest of a run",
    responses=answers(examples.MANIFEST, *AT_THE_DOOR, *FINDING),
    response_class=Response,
)
async def manifest(job: JobId, station: TheStation) -> Response:
    """What the run was, and the SHA-256 of each of its files: byte by byte as it was closed.

    Also of jobs that are listed no longer. Of one that has not ended there is none.
    """
    folder = await _folder(job, station.runs)
    text = await at_disk_thread(_read, run_manifest.read_bytes, folder, NAME)
    return Response(text, media_type="application/json")


@runs.get(
    "/jobs/{job}/run/{file:path}",
    summary="A file of a run",
    responses=answers("the bytes of the file", *AT_THE_DOOR, *FINDING, media_type="*/*"),
    response_class=Response,
)
async def run_file(job: JobId, file: RunFile, station: TheStation) -> Response:
    """One of the files that the manifest names, or `manifest.sha256`."""
    folder = await _folder(job, station.runs)
    form, _ = await at_disk_thread(_read, run_manifest.read, folder)
    known = [it["name"] for it in form["files"]]
    if file not in {*known, NAME, SIDECAR}:
        shown = ascii(file)[:LONGEST_SHOWN]
        raise Problem(
            "no-such",
            Message(
                "the run of job {job} has no file {shown}: its manifest names all",
                job=job,
                shown=shown,
            ),
        )
    descriptor = await at_disk_thread(_read, opened, folder, file)
    size = os.fstat(descriptor).st_size
    ending = f".{file.rpartition('.')[2]}"
    name = quote(file.rpartition("/")[2])
    headers = {
        "Content-Length": str(size),
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
    }
    return StreamingResponse(
        _pieces(descriptor, size), media_type=MEDIA.get(ending, ANY_MEDIA), headers=headers
    )


async def _folder(job: str, shelf: RunShelf | None) -> Any:
    """The closed folder of a job. Raises Problem."""
    found = await at_disk_thread(_read, shelf.of, job) if shelf is not None else None
    if found is None:
        shown = ascii(job)[:LONGEST_SHOWN]
        raise Problem(
            "no-such",
            Message("job {shown} has no run folder: there is none, or it never began", shown=shown),
        )
    if not found.is_closed:
        raise Problem(
            "refused",
            Message("the run of job {job} is still being written: ask when it has ended", job=job),
        )
    return found.path


def _read(work: Any, *arguments: Any) -> Any:
    """What a look at the disk gives. Raises Problem for what it does not give."""
    try:
        return work(*arguments)
    except (OSError, NotRead) as error:
        why = str(error) if isinstance(error, NotRead) else error.strerror
        raise Problem("not-kept", Message("the run folder can't be read: {why}", why=why)) from None


async def _pieces(descriptor: int, size: int) -> AsyncIterator[bytes]:
    """The file piece by piece, and no more than was announced. It is closed in any case."""
    try:
        while size > 0 and (piece := await at_disk_thread(os.read, descriptor, min(CHUNK, size))):
            size -= len(piece)
            yield piece
    finally:
        os.close(descriptor)
