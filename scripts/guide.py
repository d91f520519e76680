"""The guide for technicians as the console shows it: docs/ko/ without its pictures, as pieces of HTML.

Called by `scripts/docs`. They are written into agent/web/console/guide/ and belong into the repository:
an agent needs no library for them, and no network.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import markdown

ROOT: Final = Path(__file__).parent.parent
PAGES: Final = ROOT / "docs" / "ko"
FOLDER: Final = ROOT / "agent" / "web" / "console" / "guide"
PICTURE: Final = re.compile(r"^!\[[^\]]*\]\([^)]*\)\n\n?", re.MULTILINE)
"""Who reads it there has the page itself."""
OF_ADMINISTRATORS: Final = {"install", "update"}
"""Pages that no technician needs at the bench."""
LINK: Final = re.compile(r"\]\((\w+)\.md(#[^)]*)?\)")


def pieces() -> dict[str, str]:
    """The HTML of each page, by the name of its file."""
    return {
        f"{page.stem}.html": markdown.markdown(
            LINK.sub(r"](/guide/\1\2)", PICTURE.sub("", page.read_text("utf-8"))),
            extensions=["tables", "toc"],
            output_format="html",
        )
        + "\n"
        for page in sorted(PAGES.glob("*.md"))
        if page.stem not in OF_ADMINISTRATORS
    }


def main() -> None:
    """Write them anew."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.html"):
        old.unlink()
    for name, text in pieces().items():
        (FOLDER / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
