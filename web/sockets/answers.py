"""What a socket answers to its client, as documents; pure, and it knows no socket."""

from __future__ import annotations

import random
from typing import Final

from domain.identifiers import LoanId
from domain.notifications.notification import NoticeType
from domain.reports.views import FeedPosition
from web.sockets.client_messages import topic_name

RECONNECT_MS: Final = (500, 5000)


def position_document(position: FeedPosition) -> dict[str, object]:
    """A place in the feed as clients see it and send it back."""
    return {"epoch": position.epoch, "seq": position.seq}


def heard(
    kind: str, types: frozenset[NoticeType], topics: frozenset[LoanId] | None
) -> dict[str, object]:
    """What a socket hears from now on."""
    return {
        "type": kind,
        "notification_types": sorted(types),
        "topics": None if topics is None else sorted(topic_name(one) for one in topics),
    }


def with_ref(answer: dict[str, object], ref: str | None) -> dict[str, object]:
    """The same, with the client's own reference if it gave one."""
    return answer if ref is None else {**answer, "ref": ref}


def come_back() -> str:
    """The reason of a close after which clients come back, each a little later than another."""
    later_ms = random.randint(*RECONNECT_MS)  # noqa: S311 - spreads clients, guards nothing
    return f'{{"reconnect_after_ms":{later_ms}}}'
