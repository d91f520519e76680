"""What VISA libraries raise, and what it is to us."""

from typing import Final

from drivers.errors import ConnectFailed, DriverError, LinkClosed, LinkError, LinkTimeout

REASONS: Final = {
    "error_resource_not_found": "there is no such instrument: is it on, and the address right?",
    "error_resource_busy": "another program uses the instrument",
    "error_resource_locked": "another program has locked the instrument",
    "error_library_not_found": "the VISA library is not installed",
    "error_invalid_resource_name": "this is not a VISA resource",
    "error_connection_lost": "the instrument closed the connection",
}
"""VISA's status codes, by pyvisa's names, of which a person can do something about."""


class Border:
    """Inside may raise whatever VISA libraries raise; outside sees a LinkError.

    pyvisa raises VisaIOError; pyvisa-py also lets errors of sockets, serial ports and USB through,
    or a bare Exception, ValueError or TypeError. While `opening`, each of them is a ConnectFailed.
    """

    def __init__(self, *, opening: bool = False) -> None:
        self._opening = opening

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, DriverError):
            error = _ours(error)
        if isinstance(error, LinkError) and self._opening:
            raise ConnectFailed(str(error)) from error
        if isinstance(error, LinkError):
            raise error


def _ours(error: Exception) -> LinkError:
    code = getattr(getattr(error, "error_code", None), "name", "")
    if code == "error_timeout" or isinstance(error, TimeoutError):
        return LinkTimeout("no whole reply in time")
    reason = REASONS.get(code) or getattr(error, "strerror", None) or str(error)
    said = " ".join(reason.split()).removesuffix(":")  # some end where a list would begin
    return LinkClosed(said or repr(error))
