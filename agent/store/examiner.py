"""Each file is examined once, however many ask, and what was found is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from weakref import WeakValueDictionary

from agent.languages.message import Message
from agent.store.examination import examined
from agent.store.file_errors import Changed, Unexamined, at_disk
from agent.store.file_folder import Entry, FileFolder, changed
from agent.store.surveys import Surveys, survey_of

if TYPE_CHECKING:
    from drivers import Survey

AT_ONCE: Final = 2
"""Examinations at the same time: a large file does not hold up the next one."""

Examine = Callable[[str, int, Callable[[], BinaryIO]], Coroutine[Any, Any, bytes]]


class Examiner:
    """The surveys of a folder's files."""

    def __init__(self, folder: FileFolder, surveys: Surveys, examine: Examine = examined) -> None:
        self._folder, self._surveys, self._examine = folder, surveys, examine
        self._files: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._few = asyncio.Semaphore(AT_ONCE)

    async def survey(self, entry: Entry) -> Survey:
        """What is in the file. Who asks while it is being examined waits for that examination.

        Raises:
            UnknownName: The file is gone.
            Changed: It is not the one that was chosen, or not what was uploaded.
            Unexamined: It could not be examined.
            NotKept: The disk could not read it.
        """
        of_this_file = self._files.setdefault(entry.name, asyncio.Lock())
        async with of_this_file:
            known = await at_disk(self._surveys.of, entry)
            if known.survey is None:
                survey = await self._anew(entry)
                if known.sha256 and survey.sha256 not in {"", known.sha256}:
                    raise Changed(
                        Message("{name} is not what was uploaded: upload it again", name=entry.name)
                    )
                sha256 = survey.sha256 or known.sha256
                await at_disk(self._surveys.write, entry, sha256, survey)
                return survey
        await at_disk(self._folder.check, entry)
        return known.survey

    async def _anew(self, entry: Entry) -> Survey:
        async with self._few:
            source = partial(self._folder.open, entry)
            text = await self._examine(entry.name, entry.stamp.size, source)
        try:
            survey = await asyncio.to_thread(survey_of, text)
        except ValueError as error:
            raise Unexamined(
                Message("{name} was not examined: {error}", name=entry.name, error=str(error))
            ) from error
        await at_disk(self._folder.check, entry)
        if survey.sha256 and survey.size != entry.stamp.size:
            raise changed(entry.name)
        return survey
