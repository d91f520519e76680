"""The command line as `python -m agent.cli`, where `labkeeper` is not in PATH."""

import sys

from agent.cli import main

sys.exit(main())
