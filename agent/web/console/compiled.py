"""Compiled templates, kept beside the compiled modules: to compile them all takes 0.3 s of processor.

Where the agent may not write there, as in an installation of root's, it compiles them at each
start: beside the loop, when the devices are being read already.
"""

import sys
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

import jinja2
from jinja2 import Environment
from jinja2.bccache import Bucket, BytecodeCache


class Compiled(BytecodeCache):
    """A file per template. One of another source, Jinja, Python or other options is not taken.

    `folder` is where they are; it is made when the first is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_bucket(
        self, environment: Environment, name: str, filename: str | None, source: str
    ) -> Bucket:
        """The template's bucket; the source's checksum is also one of what it is compiled with."""
        blocks = (environment.trim_blocks, environment.lstrip_blocks, environment.autoescape)
        with_it = f"Jinja {jinja2.__version__}, Python {sys.version}, {blocks}"
        return super().get_bucket(environment, name, filename, f"{with_it}\n{source}")

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """The file's name."""
        return f"{name.replace('/', '-')}.{sys.implementation.cache_tag}.jinja"

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what is there, if it is of this source."""
        with suppress(OSError), (self._folder / bucket.key).open("rb") as file:
            bucket.load_bytecode(file)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Write it whole or not at all, as several agents may do at once."""
        if sys.dont_write_bytecode:
            return
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self._folder, delete=False) as draft:
                bucket.write_bytecode(draft)
            Path(draft.name).chmod(0o644)  # whoever runs the agent reads what root has compiled
            Path(draft.name).replace(self._folder / bucket.key)
