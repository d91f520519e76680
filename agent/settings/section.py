"""What every section of a config is, and the one that many of them have: a title."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from agent.settings.values import Label


def doc(text: str, **more: Any) -> Any:
    """A key's description; its default stands beside it."""
    return Field(description=text, **more)


class Section(BaseModel):
    """Keys that are known, values that are what they look like, and nothing changes afterwards."""

    # Built when first used, and those inside another with it: at import each was built for itself.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class Title(Section):
    """What people call it, in the languages of the lab."""

    ko: Annotated[Label | None, doc("In Korean, up to 80 characters.")] = None
    en: Annotated[Label | None, doc("In English, up to 80 characters.")] = None
