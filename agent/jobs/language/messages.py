"""What a recipe says to people: texts in Korean and English, with values in braces.

`{oven.temperature:.1f}` is an expression, and how its number is written: the digits after the
point (`.1f`), or all that count (`.3g`). Two braces are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from agent.jobs.language.expressions import Expression, ExpressionError, Value
from agent.languages import message as languages
from agent.languages.message import N_
from agent.settings.section import Section

LONGEST: Final = 500
NO_VALUE: Final = "—"
FORMAT: Final = re.compile(r"\.[0-9][fg]")


@dataclass(frozen=True, slots=True)
class Blank:
    """A place in a text where the value of an expression is written."""

    expression: Expression
    format: str = ""

    def filled(self, values: Mapping[str, Value | None]) -> str:
        """The value as it is written; a dash where it has none: a message never fails."""
        try:
            found = self.expression.value(values)
        except ExpressionError:
            return NO_VALUE
        if isinstance(found, bool | str):
            return str(found).lower() if isinstance(found, bool) else found
        return format(found, self.format or ".10g")


@dataclass(frozen=True, slots=True)
class Wording:
    """One text in one language."""

    text: str
    pieces: tuple[str | Blank, ...]

    @classmethod
    def parse(cls, given: object) -> Wording:
        """Find the blanks of a text. Raises ValueError, with a sentence."""
        if isinstance(given, Wording):
            return given
        if not isinstance(given, str):
            raise ValueError(  # noqa: TRY004 - pydantic makes a problem of a ValueError alone
                languages.Message("{given!r} is not text: put it in quotes", given=given)
            )
        if not 0 < len(given) <= LONGEST:
            raise ValueError(
                languages.Message(
                    "a message has 1 to {longest} characters, not {count}",
                    longest=LONGEST,
                    count=len(given),
                )
            )
        if not given.replace("\n", "").isprintable():
            raise ValueError(languages.Message("has a control character: delete it"))
        return cls(given, tuple(_pieces(given)))

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """What it needs the values of."""
        return tuple(piece.expression for piece in self.pieces if isinstance(piece, Blank))

    def filled(self, values: Mapping[str, Value | None]) -> str:
        """The text with its blanks filled in."""
        return "".join(it if isinstance(it, str) else it.filled(values) for it in self.pieces)


def _pieces(text: str) -> Iterator[str | Blank]:
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        raise ValueError(
            languages.Message("{text!r} has a single brace: write {{{{ or }}}} for one", text=text)
        ) from None
    for before, name, form, conversion in parts:
        if before:
            yield before
        if name is None:
            continue
        if conversion or (form and not FORMAT.fullmatch(form)):
            raise ValueError(
                languages.Message(
                    "{{{name}…}}: after the : stands .1f or .3g, and no more", name=name
                )
            )
        try:
            yield Blank(Expression.parse(name), form or "")
        except ExpressionError as error:
            raise ValueError(
                languages.Message("{{{name}}}: {error}", name=name, error=str(error))
            ) from None


def _both(given: Any) -> Any:
    """A text alone is the text in every language."""
    if isinstance(given, dict | Words):
        return given
    wording = Wording.parse(given)
    return {"ko": wording, "en": wording}


_Wording = Annotated[
    Wording,
    PlainValidator(Wording.parse),
    PlainSerializer(lambda wording: wording.text),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST}),
]


class Words(Section):
    """A text in both languages."""

    ko: Annotated[_Wording, Field(description=N_("In Korean, with values in {braces}."))]
    en: Annotated[_Wording, Field(description=N_("In English, with values in {braces}."))]

    def wording(self, language: str) -> Wording:
        """The text in a language, "ko" or "en"."""
        return self.ko if language == "ko" else self.en

    def filled(self, language: str, values: Mapping[str, Value | None]) -> str:
        """The text in a language, with its blanks filled in."""
        return self.wording(language).filled(values)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """What it needs the values of, in either language."""
        return tuple(dict.fromkeys((*self.ko.expressions, *self.en.expressions)))


Message = Annotated[Words, BeforeValidator(_both)]
"""`{ko: …, en: …}`, or one text for both."""
