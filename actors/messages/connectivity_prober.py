"""What the connectivity prober understands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DescribeLink:
    """Interleaved. Replies with a `NetworkView`."""


ConnectivityProberMessage = DescribeLink
