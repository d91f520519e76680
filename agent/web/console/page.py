"""Making a page: its template, the language of whoever asked, and what every page has.

Beside `compiled.py` the only file that imports Jinja2. Templates are compiled, or read compiled, at
import: no request waits for a disk.
"""

import gzip
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agent.languages.catalogues import in_language, wanted
from agent.languages.message import LANGUAGES, Message
from agent.languages.names import choice, spoken
from agent.station import Station
from agent.web.console.assets import address
from agent.web.console.compiled import Compiled
from agent.web.console.frame import frame_items
from agent.web.console.job_items import open_questions, words_of
from agent.web.console.job_words import IN_SCRIPT as IN_JOBS
from agent.web.console.job_words import RUNS, VERDICTS
from agent.web.console.show import ago, moment, symbol, titled, value_text
from agent.web.console.who_looks import IN_SCRIPT as OF_PEOPLE
from agent.web.console.who_looks import who_looks
from agent.web.console.words import (
    OUTCOMES,
    QUALITIES,
    ROLES,
    SCOPES,
    SEVERITIES,
    STATES,
    WIRE,
)

COOKIE: Final = "language"
A_YEAR_S: Final = 365 * 24 * 3600
SHORT: Final = 1400
"""Characters that one packet takes as they are."""
PACKED: Final = 4
"""How hard a page is compressed, 1 to 9: one of 64 devices, 150 kB, takes a millisecond."""
NAMES: Final = MappingProxyType({"ko": "한국어", "en": "English"})
"""What the languages call themselves."""
IN_SCRIPT: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "live": Message("Live"),
        "lost": Message("Connection lost. The values below are old. Trying again …"),
        "stopping": Message("Stopping everything …"),
        "stopped": Message("Every device is confirmed safe."),
        "not_stopped": Message("Not every device is confirmed safe. Go and look."),
        "unreached": Message(
            "The agent did not answer. Nothing is confirmed: use the emergency stop at the machine."
        ),
        "seconds": Message("{n} s ago"),
        "minutes": Message("{n} min ago"),
        "hours": Message("{n} h ago"),
        "sent": Message("Sent. Waiting for the device …"),
        "done": Message("Done"),
        "no_answer": Message("The agent did not answer. Look at the device before trying again."),
        "missing": Message("A value is missing"),
        "bad_number": Message("Not a number"),
        **IN_JOBS,
        "asked": Message("Sent. Waiting for the agent …"),
        "unknown": Message(
            "The agent did not answer. Nobody knows whether it was done: look before trying again."
        ),
        **{f"stop_{status}": text for status, text in OUTCOMES.items()},
        **OF_PEOPLE,
    }
)
"""What scripts say; the page hands it to them."""


FOLDER: Final = Path(__file__).parent


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        bytecode_cache=Compiled(FOLDER / "__pycache__" / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(address=address, symbol=symbol, titled=titled, languages=NAMES)
    made.globals.update(QUALITIES=QUALITIES, ROLES=ROLES, SEVERITIES=SEVERITIES, SCOPES=SCOPES)
    made.globals.update(STATES=STATES, WIRE=WIRE, OUTCOMES=OUTCOMES)
    made.globals.update(RUNS=RUNS, VERDICTS=VERDICTS)
    for name in made.list_templates():
        made.get_template(name)
    return made


TEMPLATES: Final = _environment()


def language_of(request: Request) -> str:
    """The language asked for by the address, else by the cookie, else by the browser, else config's."""
    station: Station = request.app.state.station
    for given in (request.query_params.get(COOKIE), request.cookies.get(COOKIE)):
        if given in LANGUAGES:
            return given
    return wanted(request.headers.get("accept-language", ""), station.console.language)


def page(request: Request, template: str, *, status: int = 200, **more: Any) -> HTMLResponse:
    """The answer that carries a page or a part of one; `more` is what its template names."""
    language = language_of(request)
    html = TEMPLATES.get_template(template).render(_on_every_page(request, language) | more)
    answer = _packed(html, status, request.headers.get("accept-encoding", ""))
    if request.query_params.get(COOKIE) == language:
        keep_language(answer, language)
    return answer


def _packed(html: str, status: int, accepted: str) -> HTMLResponse:
    """The answer, compressed where that spares something and the browser takes it.

    A page that is compressed and has a secret can be made to betray it to a site that has it loaded
    again and again (BREACH). Here that site gets a page without one: the cookie is SameSite=Strict.
    """
    headers = {"Vary": "Accept-Language, Cookie, Accept-Encoding"}
    if "gzip" not in accepted or len(html) < SHORT:
        return HTMLResponse(html, status, headers=headers)
    headers["Content-Encoding"] = "gzip"
    return HTMLResponse(gzip.compress(html.encode(), PACKED, mtime=0), status, headers=headers)


def keep_language(answer: Response, language: str) -> None:
    """Let the browser remember the language."""
    answer.set_cookie(
        COOKIE, language, max_age=A_YEAR_S, samesite="strict", httponly=True, path="/"
    )


def say(language: str, text: str, **arguments: object) -> str:
    """The `_` of templates: a literal of the template, or a Message from elsewhere."""
    return in_language(text if isinstance(text, Message) else Message(text, **arguments), language)


def _on_every_page(request: Request, language: str) -> dict[str, Any]:
    station: Station = request.app.state.station
    zone = ZoneInfo(station.console.zone)
    return {
        "_": partial(say, language),
        "in_language": partial(in_language, language=language),
        "language": language,
        "has_sessions": request.app.state.has_sessions,
        "path": request.url.path,
        "station": station,
        "moment": partial(moment, zone=zone),
        "zone": station.console.zone,
        "ago": partial(ago, language=language),
        "value_text": partial(value_text, language=language),
        "spoken": lambda name: in_language(spoken(name), language),
        "choice": lambda value: in_language(choice(value), language),
        "texts": {name: in_language(text, language) for name, text in IN_SCRIPT.items()},
        "kiosk": "kiosk" in request.query_params,
        "frame": {name: it.sent(0.0) for name, it in frame_items(station, language).items()},
        "live_view": "",
        "has": "",
        "of": "",
        **who_looks(request),
        "of_job": "",
        "questions": [
            {"job": it.job, "text": words_of(it, language)} for it in open_questions(station)
        ],
    }
