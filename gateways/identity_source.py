"""Where new identifiers come from: UUID version 7 (RFC 9562), ordered by when they were minted."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7


class TimeOrderedIdentities:
    """Mints identifiers that sort by time and need no one to ask."""

    def new_id(self) -> UUID:
        """Mint one."""
        return uuid7()
