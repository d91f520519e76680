"""Whether what a config names is on this machine at present."""

from pathlib import Path


def is_there(path: str) -> bool:
    """Whether there is something at this path, as far as the agent's user may look."""
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # such as a folder that only the agent may enter
        return True
    return True
