"""A bucket lets its burst through and then its rate, for each caller alone, in bounded memory."""

from __future__ import annotations

import pytest

from web.security.rate_limit import RateLimit


def test_a_burst_passes_and_the_next_waits() -> None:
    limit = RateLimit("user", per_minute=60, burst=3)
    taken = [limit.take("a", 100.0) for _ in range(4)]
    assert [one.allowed for one in taken] == [True, True, True, False]
    assert [one.remaining for one in taken] == [2, 1, 0, 0]
    assert taken[-1].retry_after_s == 1
    assert taken[-1].full_after_s == 3


def test_tokens_flow_back_at_the_rate_and_not_beyond_the_burst() -> None:
    limit = RateLimit("user", per_minute=60, burst=2)
    for _ in range(2):
        limit.take("a", 0.0)
    assert not limit.take("a", 0.5).allowed
    assert limit.take("a", 1.0).allowed
    assert [limit.take("a", 1000.0).allowed for _ in range(3)] == [True, True, False]


def test_waiting_as_long_as_told_is_enough() -> None:
    limit = RateLimit("slow", per_minute=7, burst=1)
    limit.take("a", 0.0)
    refused = limit.take("a", 0.1)
    assert limit.take("a", 0.1 + refused.retry_after_s).allowed


def test_one_caller_does_not_spend_anothers_tokens() -> None:
    limit = RateLimit("user", per_minute=1, burst=1)
    assert limit.take("a", 0.0).allowed
    assert limit.take("b", 0.0).allowed


def test_a_clock_that_is_set_back_neither_gives_nor_takes() -> None:
    limit = RateLimit("user", per_minute=60, burst=2)
    assert limit.take("a", 1000.0).allowed
    assert limit.take("a", 10.0).remaining == 0


def test_memory_is_bounded_and_the_longest_silent_is_forgotten() -> None:
    limit = RateLimit("user", per_minute=1, burst=1, buckets_max=2)
    for who in ("a", "b", "a", "c"):
        limit.take(who, 0.0)
    assert set(limit._buckets) == {"a", "c"}


@pytest.mark.parametrize(("per_minute", "burst"), [(0, 1), (1, 0), (-1, 1)])
def test_a_limit_that_lets_nothing_through_is_a_mistake(per_minute: int, burst: int) -> None:
    with pytest.raises(ValueError, match="lets something through"):
        RateLimit("user", per_minute, burst)
