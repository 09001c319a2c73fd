"""Access and refresh tokens: signed, short, and with nothing in them that could grow stale.

A token says which user and which sign-in it belongs to. It never says what its bearer may do: role
and branch are read from the store. Pure but for the key and the random `jti` of an access token.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

import jwt

from domain.access.account import Account
from domain.access.sign_in import RefreshTicket
from domain.identifiers import SessionId, UserId

KEY_BYTES_MIN: Final = 32
# Clocks of two workers' machines may differ by so much; nothing lives longer because of it.
CLOCK_SKEW_S: Final = 5
TOKEN_CHARS_MAX: Final = 2048
REMEMBERED_MAX: Final = 8192

# The end of the year 9999: a later instant is no instant to Python.
_LATEST_S: Final = 253_402_300_799
# One spelling for one token: the library would also take padding.
_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_ISSUER: Final = "lendwire"
_AUDIENCE: Final = "lendwire-api"
_ACCESS: Final = "access"
_REFRESH: Final = "refresh"

Value = TypeVar("Value")

_HEADER: Final = {"alg": "HS256", "typ": "JWT"}
_CLAIMS: Final = ("iss", "aud", "sub", "sid", "jti", "typ", "iat", "nbf", "exp")


class WeakKeyError(ValueError):
    """The signing key is too short, or one character over and over."""


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a genuine access token says; `expires_at_s` counts seconds of the Unix epoch."""

    user_id: UserId
    session_id: SessionId
    token_id: str
    expires_at_s: int

    @property
    def expires_at(self) -> datetime:
        """The instant from which the token is refused, in UTC."""
        return datetime.fromtimestamp(self.expires_at_s, UTC)


@dataclass(frozen=True, slots=True)
class _Claims:
    user_id: UserId
    session_id: SessionId
    token_id: str
    issued_at_s: int
    begins_at_s: int
    expires_at_s: int


class JwtTokens:
    """Mints and reads HS256 tokens with one key. Satisfies the port `Tokens`.

    Tokens that were found genuine are remembered, so that a busy client costs one signature check;
    of what is remembered the times are checked each time, from the beginning to the end. Tokens
    that were refused as expired are remembered too: a clock that is set back revives none.
    """

    def __init__(self, key: bytes, access_life: timedelta) -> None:
        if len(key) < KEY_BYTES_MIN or len(set(key)) == 1:
            raise WeakKeyError(
                f"a signing key needs {KEY_BYTES_MIN} bytes that are not all the same"
            )
        self._key = key
        self._access_life = access_life
        self._jwt = jwt.PyJWT(
            {
                # Times are checked here, against the clock that is handed in.
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "require": list(_CLAIMS),
                "strict_aud": True,
                "enforce_minimum_key_length": True,
            }
        )
        self._genuine: dict[str, tuple[_Claims, AccessClaims]] = {}
        self._expired: dict[str, None] = {}

    def access_token(
        self, account: Account, session_id: SessionId, now: datetime
    ) -> tuple[str, int]:
        """A new access token, and for how many seconds it holds."""
        life_s = int(self._access_life.total_seconds())
        issued_s = int(now.timestamp())
        token = self._mint(
            _ACCESS, account.id, session_id, secrets.token_hex(16), (issued_s, issued_s + life_s)
        )
        return token, life_s

    def refresh_token(self, ticket: RefreshTicket) -> str:
        """The refresh token of a ticket: the same ticket gives the same token."""
        times = int(ticket.issued_at.timestamp()), int(ticket.expires_at.timestamp())
        return self._mint(_REFRESH, ticket.user_id, ticket.session_id, str(ticket.id), times)

    def read_refresh_token(self, token: str, now: datetime) -> RefreshTicket | None:
        """The ticket, when the token is genuine and has not expired; its times in whole seconds."""
        claims = self._read(token, _REFRESH)
        if claims is None or not self._holds(claims, now):
            return None
        ticket_id = _as_uuid(claims.token_id)
        if ticket_id is None:
            return None
        return RefreshTicket(
            ticket_id,
            claims.session_id,
            claims.user_id,
            datetime.fromtimestamp(claims.issued_at_s, UTC),
            datetime.fromtimestamp(claims.expires_at_s, UTC),
        )

    def read_access_token(self, token: str, now: datetime) -> AccessClaims | None:
        """What the token says, when it is genuine, an access token, and holds at `now`."""
        known = self._genuine.get(token)
        if known is None:
            claims = self._read(token, _ACCESS)
            if claims is None:
                return None
            known = (
                claims,
                AccessClaims(
                    claims.user_id, claims.session_id, claims.token_id, claims.expires_at_s
                ),
            )
            _remember(self._genuine, token, known)
        claims, read = known
        if self._holds(claims, now):
            return read
        self._genuine.pop(token, None)
        return None

    def _holds(self, claims: _Claims, now: datetime) -> bool:
        """Whether `now` is between the token's beginning and its end, and always was before."""
        now_s = now.timestamp()
        if now_s >= claims.expires_at_s:
            _remember(self._expired, claims.token_id, None)
            return False
        if max(claims.begins_at_s, claims.issued_at_s) > now_s + CLOCK_SKEW_S:
            return False
        return claims.token_id not in self._expired

    def _mint(
        self,
        kind: str,
        user_id: UserId,
        session_id: SessionId,
        token_id: str,
        times: tuple[int, int],
    ) -> str:
        issued_s, expires_s = times
        claims = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "jti": token_id,
            "typ": kind,
            "iat": issued_s,
            "nbf": issued_s,
            "exp": expires_s,
        }
        return self._jwt.encode(claims, self._key, algorithm="HS256")

    def _read(self, token: str, kind: str) -> _Claims | None:
        """What a genuine token of this kind says, whatever the time."""
        if len(token) > TOKEN_CHARS_MAX or not _COMPACT.fullmatch(token):
            return None
        try:
            read = self._jwt.decode_complete(
                token, self._key, algorithms=["HS256"], audience=_AUDIENCE, issuer=_ISSUER
            )
        except (jwt.PyJWTError, ValueError, OverflowError, RecursionError):
            return None
        claims: Mapping[str, object] = read["payload"]
        # kid, jku, crit and the like select keys or rules: there is one key and one rule.
        if read["header"] != _HEADER or set(claims) != set(_CLAIMS) or claims["typ"] != kind:
            return None
        return _checked(claims)


def _remember(memory: dict[str, Value], key: str, value: Value) -> None:
    """Keep it, in the place of what was kept first when there is no room."""
    while len(memory) >= REMEMBERED_MAX:
        del memory[next(iter(memory))]
    memory[key] = value


def _checked(claims: Mapping[str, object]) -> _Claims | None:
    user_id, session_id = _as_uuid(claims["sub"]), _as_uuid(claims["sid"])
    token_id, issued, begins, expires = (claims[name] for name in ("jti", "iat", "nbf", "exp"))
    if user_id is None or session_id is None or not isinstance(token_id, str):
        return None
    # type() and not isinstance: True is an int, and 1e400 is a float.
    if type(expires) is not int or type(begins) is not int or type(issued) is not int:
        return None
    if expires > _LATEST_S:
        return None
    return _Claims(UserId(user_id), SessionId(session_id), token_id, issued, begins, expires)


def _as_uuid(text: object) -> UUID | None:
    if not isinstance(text, str):
        return None
    try:
        return UUID(text)
    except ValueError:
        return None
