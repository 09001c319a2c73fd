"""The figures as text, read back by the parser that scrapers use."""

from __future__ import annotations

import math
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from actors.ports.tree_views import Sample
from domain.queries import ReadFigures
from domain.rejections import AccessRefusal, Rejected
from tests.web.standins import House
from web.responses.openmetrics import MEDIA_TYPE, openmetrics

AWKWARD = 'a "quoted" \\ path\nof two lines'


def families(raw: bytes) -> dict[str, Any]:
    return {family.name: family for family in text_string_to_metric_families(raw.decode())}


def test_a_scraper_reads_back_what_was_written() -> None:
    raw = openmetrics(
        (
            Sample("actor_restarts", "counter", 2, {"path": "/root/core/hub"}),
            Sample("actor_up", "gauge", 1.0, {"path": "/root/core/hub"}),
            Sample("actor_restarts", "counter", 0, {"path": AWKWARD, "worker": "worker-1"}),
            Sample("loop_lag_seconds", "gauge", 0.000125),
        ),
        {"actor_restarts": "How often.", "loop_lag_seconds": AWKWARD},
    )
    read = families(raw)
    assert set(read) == {
        "lendwire_actor_restarts",
        "lendwire_actor_up",
        "lendwire_loop_lag_seconds",
    }
    restarts = read["lendwire_actor_restarts"]
    assert (restarts.type, restarts.documentation) == ("counter", "How often.")
    assert {tuple(sorted(row.labels.items())): row.value for row in restarts.samples} == {
        (("path", "/root/core/hub"),): 2,
        (("path", AWKWARD), ("worker", "worker-1")): 0,
    }
    assert read["lendwire_loop_lag_seconds"].samples[0].value == 0.000125
    assert read["lendwire_loop_lag_seconds"].documentation == AWKWARD


def test_a_histogram_is_read_back_with_its_buckets_count_and_sum() -> None:
    buckets = ((0.0001, 1), (0.25, 3), (1.0, 3), (10.0, 4))
    raw = openmetrics(
        tuple(
            Sample("took_seconds", "histogram", 12.5, {"actor": actor}, 5, buckets)
            for actor in ("hub", AWKWARD)
        ),
        {"took_seconds": "How long."},
    )
    read = families(raw)["lendwire_took_seconds"]
    assert read.type == "histogram"
    for actor in ("hub", AWKWARD):
        rows = [row for row in read.samples if row.labels["actor"] == actor]
        assert [(row.labels["le"], row.value) for row in rows if "le" in row.labels] == [
            ("0.0001", 1), ("0.25", 3), ("1.0", 3), ("10.0", 4), ("+Inf", 5),
        ]  # fmt: skip
        assert [row.value for row in rows if "le" not in row.labels] == [5, 12.5]


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_figures_that_are_no_numbers_have_their_own_spelling(value: float) -> None:
    raw = openmetrics((Sample("lag", "gauge", value),), {})
    read = families(raw)["lendwire_lag"].samples[0].value
    assert read == value or (math.isnan(read) and math.isnan(value))


def test_no_figures_are_an_empty_document() -> None:
    assert openmetrics((), {}) == b"# EOF\n"


def test_what_a_scraper_would_refuse_is_refused_here() -> None:
    with pytest.raises(ValueError, match="counter and gauge"):
        openmetrics((Sample("a", "gauge", 1), Sample("a", "counter", 1)), {})
    with pytest.raises(ValueError, match="twice"):
        openmetrics((Sample("a", "gauge", 1), Sample("a", "gauge", 2)), {})


async def test_metrics_are_for_operators(client: Any, house: House) -> None:
    house.session.table = {ReadFigures: (Sample("actor_up", "gauge", 1.0, {"path": "/root"}),)}
    response = await client.get("/metrics", headers=house.bearer)
    assert (response.status_code, response.content_type) == (200, MEDIA_TYPE)
    raw = await response.get_data()
    assert families(raw)["lendwire_actor_up"].samples[0].labels == {"path": "/root"}
    house.session.table = {ReadFigures: Rejected(AccessRefusal.NOT_ALLOWED, "no")}
    assert (await client.get("/metrics", headers=house.bearer)).status_code == 403
    assert (await client.get("/metrics")).status_code == 401
