"""Entity tags and what a request demands of them (RFC 9110, section 13; RFC 6585, section 3).

The tag of a thing is its version, so that a client may send back either.
"""

from __future__ import annotations

import re
from typing import Final

from domain.rejections import FieldFault
from web.responses.problems import Problem, invalid_fields

# A tag that is not ours names a version that nothing has: the answer is 412, with the real one.
NO_VERSION: Final = 0

# A strong entity tag, as If-Match takes it.
TAG_PATTERN: Final = r'"[\x21\x23-\x7e]*"'
_TAG: Final = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*')
_OURS: Final = re.compile(r"v([1-9][0-9]{0,15})")

MISSING: Final = Problem(
    428,
    "precondition_required",
    "Say which version is meant: If-Match with the ETag that was read, or version in the body.",
)
_NOT_ONE: Final = Problem(
    400, "bad_if_match", 'If-Match must be exactly one strong entity tag, such as "v3".'
)


def tag(version: int) -> str:
    """The strong entity tag of a version."""
    return f'"v{version}"'


def is_known(if_none_match: str, version: int) -> bool:
    """Say whether the client has this version already; weak tags are compared by their text."""
    if if_none_match.strip() == "*":
        return True
    ours = f"v{version}"
    for part in if_none_match.split(","):
        found = _TAG.fullmatch(part)
        if found is not None and found[2] == ours:
            return True
    return False


def expected_version(
    if_match: str | None, in_body: int | None, *, required: bool
) -> int | Problem | None:
    """The version that the caller has seen, from the header or from the body."""
    if if_match is None:
        return MISSING if in_body is None and required else in_body
    found = _TAG.fullmatch(if_match)
    if found is None:
        return _NOT_ONE
    ours = _OURS.fullmatch(found[2])
    # Weak tags never match strongly.
    version = NO_VERSION if ours is None or found[1] else int(ours[1])
    if in_body is not None and in_body != version:
        return invalid_fields(
            FieldFault("/version", "contradicts_if_match", "is not the version in If-Match")
        )
    return version
