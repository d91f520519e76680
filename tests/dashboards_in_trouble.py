"""The queries that are empty as long as all is well."""

from __future__ import annotations

from typing import Final

ONLY_IN_TROUBLE: Final[dict[str, str]] = {}
