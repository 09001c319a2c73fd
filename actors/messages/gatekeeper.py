"""What the gatekeeper understands: opening and renewing sign-ins. Ending is a user's command."""

from __future__ import annotations

from dataclasses import dataclass, field

from actors.messages.replies import Unavailable
from domain.access.account import Account
from domain.access.sign_in import TicketHolder
from domain.rejections import Rejected


@dataclass(frozen=True, slots=True)
class SignIn:
    """Open a session for whoever knows the password. Replies with `Granted`."""

    email: str
    password: str = field(repr=False)
    address: str
    user_agent: str | None
    request_id: str


@dataclass(frozen=True, slots=True)
class Refresh:
    """Exchange a refresh token for the next pair. Replies with `Granted`."""

    refresh_token: str = field(repr=False)
    address: str
    request_id: str


@dataclass(frozen=True, slots=True)
class TakeTicket:
    """Take a connect ticket, which is then no more. Replies with its `TicketHolder`, or why not."""

    ticket: str = field(repr=False)


GatekeeperMessage = SignIn | Refresh | TakeTicket


@dataclass(frozen=True, slots=True)
class Grant:
    """A pair of tokens; `expires_in_s` is the life of the access token."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in_s: int
    account: Account


Granted = Grant | TicketHolder | Rejected | Unavailable
