"""Examine what comes in on standard input, and print the survey as one line of JSON."""

from __future__ import annotations

import sys
from typing import BinaryIO, Final

from drivers.survey.scan import Scan

PIECE: Final = 1024 * 1024


def main(source: BinaryIO) -> int:
    """Print the survey and return 0; return 1, with a sentence, when nothing can be read."""
    scan = Scan()
    try:
        while not scan.is_hopeless and (piece := source.read(PIECE)):
            scan.feed(piece)
    except OSError as error:
        sys.stderr.write(f"the file can't be read: {error.strerror or error}\n")
        return 1
    sys.stdout.write(scan.finish().to_json() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer))
