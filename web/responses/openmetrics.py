"""The figures as OpenMetrics text: one family a name, its samples together, ended by EOF.

It writes the part of the format that figures need, counters, gauges and histograms, and knows no
figure's meaning beyond the sentence that explains it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

from actors.ports.tree_views import Sample

MEDIA_TYPE: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PREFIX: Final = "lendwire_"

_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


def openmetrics(samples: Iterable[Sample], help_by_name: Mapping[str, str]) -> bytes:
    """All samples as one document.

    Raises ValueError when one name has two kinds, or a figure is there twice: both are bugs of
    whoever measures, and a scraper would refuse all figures for them.
    """
    families: dict[str, list[Sample]] = {}
    for sample in samples:
        families.setdefault(sample.name, []).append(sample)
    lines: list[str] = []
    for name in sorted(families):
        lines.extend(_family(name, families[name], help_by_name.get(name)))
    lines.append("# EOF\n")
    return "\n".join(lines).encode()


def _family(name: str, samples: list[Sample], told: str | None) -> Iterable[str]:
    kinds = {sample.kind for sample in samples}
    if len(kinds) > 1:
        raise ValueError(f"{name} is {' and '.join(sorted(kinds))}")
    (kind,) = kinds
    yield f"# TYPE {PREFIX}{name} {kind}"
    if told is not None:
        yield f"# HELP {PREFIX}{name} {told.translate(_ESCAPES)}"
    rows = {_labels(sample.labels): sample for sample in samples}
    if len(rows) < len(samples):
        raise ValueError(f"{name} has a figure twice")
    for labels in sorted(rows):
        if kind == "histogram":
            yield from _histogram(name, rows[labels])
        else:
            suffix = "_total" if kind == "counter" else ""
            yield f"{PREFIX}{name}{suffix}{labels} {_number(rows[labels].value)}"


def _histogram(name: str, sample: Sample) -> Iterable[str]:
    for bound, count in (*sample.buckets, (math.inf, sample.count)):
        # A bound keeps its point: scrapers that know 1.0 would take 1 for another.
        told = "+Inf" if math.isinf(bound) else repr(float(bound))
        yield f"{PREFIX}{name}_bucket{_labels({**sample.labels, 'le': told})} {count}"
    labels = _labels(sample.labels)
    yield f"{PREFIX}{name}_count{labels} {sample.count}"
    yield f"{PREFIX}{name}_sum{labels} {_number(sample.value)}"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    told = (f'{name}="{value.translate(_ESCAPES)}"' for name, value in sorted(labels.items()))
    return "{" + ",".join(told) + "}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(value)
