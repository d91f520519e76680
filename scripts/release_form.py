"""What a bundle says of itself, as JSON. Usage: release_form.py VERSION MACHINE PYTHON..."""

import sys

from agent.install.versions import Release
from agent.store.schema import STEPS

version, machine, *pythons = sys.argv[1:]
release = Release(version=version, tables=len(STEPS), pythons=tuple(pythons), machine=machine)
sys.stdout.write(release.written("").decode())
