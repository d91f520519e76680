"""Compile the catalogues: the .mo files that the agent reads, beside the .po files that people write.

Beside them goes the list by which a sentence that comes as plain text is known again.

`scripts/texts` and `scripts/setup` run it, and a build of the wheel does as a hook of hatchling.
"""

import json
import sys
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CATALOGUES = "agent/languages/*/LC_MESSAGES/labkeeper.po"


def compile_all(root: Path) -> None:
    """Write a .mo file for each catalogue and the list of all sentences, each whole or not at all."""
    sentences: set[str] = set()
    for source in sorted(root.glob(CATALOGUES)):
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parts[-3], domain="labkeeper")
        sentences |= {str(it.id) for it in catalogue if it.id}
        draft = source.with_suffix(".mo.draft")
        with draft.open("wb") as file:
            write_mo(file, catalogue)
        draft.replace(source.with_suffix(".mo"))
    sys.path.insert(0, str(root))  # a build has the folder, and not the package yet
    from agent.languages.known_again import LIST, key_words

    draft = LIST.with_suffix(".json.draft")
    draft.write_text(json.dumps(key_words(sorted(sentences)), ensure_ascii=False), "utf-8")
    draft.replace(LIST)


class CatalogueHook(BuildHookInterface[Any]):
    """Has every wheel, also one that is only a link to the checkout, bring its catalogues."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the files are collected."""
        compile_all(Path(self.root))


if __name__ == "__main__":
    compile_all(Path(__file__).resolve().parent.parent)
