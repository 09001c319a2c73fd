"""A token is taken only when it is exactly what this server mints, and for as long as it says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from domain.access.sign_in import RefreshTicket
from tests.web.standins import ACCOUNT, KEY, NOW, SESSION_ID, USER_ID, an_id
from web.security import tokens as module
from web.security.tokens import CLOCK_SKEW_S, JwtTokens, WeakKeyError

LIFE = timedelta(minutes=30)
NOW_S = int(NOW.timestamp())
GOOD: dict[str, Any] = {
    "iss": "lendwire",
    "aud": "lendwire-api",
    "sub": str(USER_ID),
    "sid": str(SESSION_ID),
    "jti": "abc",
    "typ": "access",
    "iat": NOW_S,
    "nbf": NOW_S,
    "exp": NOW_S + 600,
}


@pytest.fixture
def minting() -> JwtTokens:
    return JwtTokens(KEY, LIFE)


def signed(claims: object, header: object = None, key: bytes = KEY, digest: Any = None) -> str:
    """A token made by hand, so that nothing a library forbids is out of reach."""
    head = {"alg": "HS256", "typ": "JWT"} if header is None else header
    parts = [part(json.dumps(head).encode()), part(json.dumps(claims).encode())]
    text = ".".join(parts)
    return f"{text}.{part(hmac.new(key, text.encode(), digest or hashlib.sha256).digest())}"


def part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_an_access_token_is_read_back(minting: JwtTokens) -> None:
    token, life_s = minting.access_token(ACCOUNT, SESSION_ID, NOW)
    claims = minting.read_access_token(token, NOW)
    assert claims is not None
    assert (claims.user_id, claims.session_id) == (USER_ID, SESSION_ID)
    assert life_s == LIFE.total_seconds()
    assert claims.expires_at == NOW + LIFE


def test_an_access_token_names_no_role(minting: JwtTokens) -> None:
    token, _ = minting.access_token(ACCOUNT, SESSION_ID, NOW)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert not {"role", "branch_id", "email"} & set(claims)


def test_it_ends_on_the_second_also_when_it_is_remembered(minting: JwtTokens) -> None:
    token, _ = minting.access_token(ACCOUNT, SESSION_ID, NOW)
    assert minting.read_access_token(token, NOW + LIFE - timedelta(seconds=1)) is not None
    assert minting.read_access_token(token, NOW + LIFE) is None
    assert minting.read_access_token(token, NOW + LIFE + timedelta(days=1)) is None


def test_a_token_of_tomorrow_is_refused_today_also_when_it_is_remembered(
    minting: JwtTokens,
) -> None:
    """R7: a clock a day ahead mints and reads a token; set right again, it is refused."""
    tomorrow = NOW + timedelta(days=1)
    token, _ = minting.access_token(ACCOUNT, SESSION_ID, tomorrow)
    assert minting.read_access_token(token, tomorrow) is not None
    assert minting.read_access_token(token, NOW) is None
    assert minting.read_access_token(token, tomorrow) is not None, "it was early, not over"


def test_a_token_that_was_refused_as_expired_stays_refused(minting: JwtTokens) -> None:
    """R7, I17: two hours ahead and back, and neither token comes to life again."""
    access, _ = minting.access_token(ACCOUNT, SESSION_ID, NOW)
    ticket = RefreshTicket(an_id(9), SESSION_ID, USER_ID, NOW, NOW + timedelta(hours=1))
    refresh = minting.refresh_token(ticket)
    assert minting.read_access_token(access, NOW) is not None
    assert minting.read_refresh_token(refresh, NOW) is not None
    later = NOW + timedelta(hours=2)
    assert minting.read_access_token(access, later) is None
    assert minting.read_refresh_token(refresh, later) is None
    assert minting.read_access_token(access, NOW) is None
    assert minting.read_refresh_token(refresh, NOW) is None
    another, _ = minting.access_token(ACCOUNT, SESSION_ID, NOW)
    assert minting.read_access_token(another, NOW) is not None


def test_of_expired_tokens_only_so_many_are_remembered(
    minting: JwtTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REMEMBERED_MAX", 3)
    tokens = [minting.access_token(ACCOUNT, SESSION_ID, NOW)[0] for _ in range(10)]
    for token in tokens:
        assert minting.read_access_token(token, NOW + LIFE) is None
    assert len(minting._expired) == 3
    assert minting.read_access_token(tokens[-1], NOW) is None


def test_two_access_tokens_are_never_the_same(minting: JwtTokens) -> None:
    first, _ = minting.access_token(ACCOUNT, SESSION_ID, NOW)
    second, _ = minting.access_token(ACCOUNT, SESSION_ID, NOW)
    assert first != second


def test_the_same_ticket_gives_the_same_refresh_token(minting: JwtTokens) -> None:
    ticket = RefreshTicket(an_id(9), SESSION_ID, USER_ID, NOW, NOW + timedelta(days=7))
    token = minting.refresh_token(ticket)
    assert token == JwtTokens(KEY, LIFE).refresh_token(ticket)
    assert minting.read_refresh_token(token, NOW) == ticket
    assert minting.read_refresh_token(token, NOW + timedelta(days=7)) is None


def test_neither_token_serves_as_the_other(minting: JwtTokens) -> None:
    ticket = RefreshTicket(an_id(9), SESSION_ID, USER_ID, NOW, NOW + timedelta(days=7))
    access, _ = minting.access_token(ACCOUNT, SESSION_ID, NOW)
    assert minting.read_access_token(minting.refresh_token(ticket), NOW) is None
    assert minting.read_refresh_token(access, NOW) is None


def test_a_token_made_by_hand_is_taken_when_it_is_right(minting: JwtTokens) -> None:
    assert minting.read_access_token(signed(GOOD), NOW) is not None


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_missing_claim_is_refused(minting: JwtTokens, name: str) -> None:
    claims = {key: value for key, value in GOOD.items() if key != name}
    assert minting.read_access_token(signed(claims), NOW) is None


WRONG: list[tuple[str, Any]] = [
    ("iss", "someone"),
    ("iss", None),
    ("aud", ["lendwire-api", "others"]),
    ("aud", ["lendwire-api"]),
    ("aud", "lendwire"),
    ("typ", "refresh"),
    ("typ", "ticket"),
    ("sub", 1),
    ("sub", "somebody"),
    ("sub", None),
    ("sid", "x"),
    ("jti", 7),
    ("jti", None),
    ("exp", NOW_S),
    ("exp", NOW_S - 1),
    ("exp", "soon"),
    ("exp", str(NOW_S + 600)),
    ("exp", NOW_S + 600.5),
    ("exp", True),
    ("exp", None),
    ("exp", 1e400),
    ("exp", float("nan")),
    ("exp", 10**40),
    ("nbf", NOW_S + CLOCK_SKEW_S + 1),
    ("nbf", "now"),
    ("iat", NOW_S + 3600),
    ("iat", False),
    ("iat", [NOW_S]),
    ("role", "admin"),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=str)
def test_a_wrong_claim_is_refused(minting: JwtTokens, name: str, value: object) -> None:
    assert minting.read_access_token(signed({**GOOD, name: value}), NOW) is None


HEADERS: list[dict[str, Any]] = [
    {"alg": "none", "typ": "JWT"},
    {"alg": "None", "typ": "JWT"},
    {"alg": "nOnE", "typ": "JWT"},
    {"alg": "", "typ": "JWT"},
    {"alg": "HS384", "typ": "JWT"},
    {"alg": "HS512", "typ": "JWT"},
    {"alg": "RS256", "typ": "JWT"},
    {"alg": "HS256"},
    {"alg": "HS256", "typ": "at+jwt"},
    {"typ": "JWT"},
    {"alg": "HS256", "typ": "JWT", "kid": "../../dev/null"},
    {"alg": "HS256", "typ": "JWT", "kid": "' UNION SELECT 1 --"},
    {"alg": "HS256", "typ": "JWT", "kid": "https://keys.example/"},
    {"alg": "HS256", "typ": "JWT", "kid": "k" * 1000},
    {"alg": "HS256", "typ": "JWT", "kid": 1},
    {"alg": "HS256", "typ": "JWT", "kid": None},
    {"alg": "HS256", "typ": "JWT", "jku": "https://keys.example/"},
    {"alg": "HS256", "typ": "JWT", "x5u": "https://keys.example/"},
    {"alg": "HS256", "typ": "JWT", "jwk": {"kty": "oct", "k": part(KEY)}},
    {"alg": "HS256", "typ": "JWT", "crit": ["exp"]},
    {"alg": "HS256", "typ": "JWT", "b64": False, "crit": ["b64"]},
    {"alg": "HS256", "typ": "JWT", "b64": False},
    {"alg": "HS256", "typ": "JWT", "zip": "DEF"},
]


@pytest.mark.parametrize("header", HEADERS, ids=str)
def test_another_header_is_refused(minting: JwtTokens, header: dict[str, Any]) -> None:
    token = signed(GOOD, header)
    assert minting.read_access_token(token, NOW) is None
    unsigned = token.rpartition(".")[0] + "."
    assert minting.read_access_token(unsigned, NOW) is None


def test_another_digest_or_key_is_refused(minting: JwtTokens) -> None:
    header = {"alg": "HS512", "typ": "JWT"}
    assert minting.read_access_token(signed(GOOD, header, digest=hashlib.sha512), NOW) is None
    assert minting.read_access_token(signed(GOOD, key=b"x" * 31 + b"y"), NOW) is None


def test_a_changed_signature_is_refused(minting: JwtTokens) -> None:
    token = signed(GOOD)
    text, _, signature = token.rpartition(".")
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    for changed in ("", signature[:-1], signature + "A", flipped, signature + "=", signature * 2):
        assert minting.read_access_token(f"{text}.{changed}", NOW) is None


RUBBISH = [
    "",
    ".",
    "..",
    "a.b.c",
    "e30.e30.",
    "é" * 20,
    "x" * 3000,
    signed([]),
    signed(None),
    signed("text"),
    signed(GOOD, []),
    signed(GOOD, "HS256"),
    signed(GOOD) + ".more",
    " " + signed(GOOD),
    "[" * 900 + "." + "[" * 900 + ".x",
]


@pytest.mark.parametrize("token", RUBBISH, ids=lambda token: token[:12])
def test_rubbish_is_refused_and_not_a_crash(minting: JwtTokens, token: str) -> None:
    assert minting.read_access_token(token, NOW) is None
    assert minting.read_refresh_token(token, NOW) is None


def test_a_deep_document_is_refused_and_not_a_crash(minting: JwtTokens) -> None:
    deep = part(b"[" * 700)
    assert minting.read_access_token(f"{part(b'{}')}.{deep}.AA", NOW) is None


@pytest.mark.parametrize("key", [b"", b"short", b"k" * 31, b"k" * 64])
def test_a_weak_key_is_refused_at_the_start(key: bytes) -> None:
    with pytest.raises(WeakKeyError):
        JwtTokens(key, LIFE)


def test_what_is_remembered_is_bounded(minting: JwtTokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED_MAX", 3)
    minted = [minting.access_token(ACCOUNT, SESSION_ID, NOW)[0] for _ in range(5)]
    for token in minted * 2:
        assert minting.read_access_token(token, NOW) is not None
    assert len(minting._genuine) == 3


def test_instants_of_a_token_are_utc(minting: JwtTokens) -> None:
    token, _ = minting.access_token(ACCOUNT, SESSION_ID, datetime(2026, 1, 1, tzinfo=UTC))
    claims = minting.read_access_token(token, datetime(2026, 1, 1, tzinfo=UTC))
    assert claims is not None
    assert claims.expires_at.tzinfo is UTC
