"""What can go wrong with people.

AgentError                exit code of the command line
├── NotAllowed            2   agent.errors
│   ├── SignInFailed      2   name, password or code do not fit, or there were too many attempts
│   └── NotLetIn          2   who signed in at the provider does not thereby sign in here
├── Refused               2   agent.errors
│   ├── BadName           2   no name, password or time that is taken here
│   ├── NameTaken         2   there is an account or a token of this name
│   ├── LastAdministrator 2   nobody would be left who may manage people
│   ├── KeptElsewhere     2   the role and the password of somebody are the provider's affair
│   └── TooManyAtOnce     2   so many passwords are being checked that this one can't be
├── ProviderTrouble       3   the provider of sign-ins can't be asked, or says what can't be believed
└── NoPeople              3   the accounts can't be read or written: nobody can sign in

None of them has signed anybody in or changed anything.
"""

from agent.errors import AgentError, NotAllowed, Refused
from agent.languages.message import Message


class SignInFailed(NotAllowed):
    """One sentence for every reason: the difference would help only a guesser."""

    def __init__(self) -> None:
        super().__init__(
            Message(
                "name and password do not fit, or there were too many attempts: "
                "wait a moment, at most five minutes, and try again"
            )
        )


class NotLetIn(NotAllowed):
    """Who signed in at the provider does not thereby sign in here; the sentence says why."""


class BadName(Refused):
    """A name, password or time of a kind that is not taken."""


class NameTaken(Refused):
    """There is an account or a token of this name already."""


class LastAdministrator(Refused):
    """Nobody would be left who may manage people."""


class KeptElsewhere(Refused):
    """The role and the password of somebody are the provider's affair."""


class ProviderTrouble(AgentError):
    """The provider of sign-ins can't be asked, or says what can't be believed."""

    exit_code = 3


class TooManyAtOnce(Refused):
    """So many passwords are being checked that this one can't be."""


class NoPeople(AgentError):
    """The accounts can't be read or written: the station's record is not there, or not yet."""

    exit_code = 3
