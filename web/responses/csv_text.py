"""Tables as CSV (RFC 4180) that a spreadsheet opens without carrying anything out.

A cell that a spreadsheet would take for a formula gets an apostrophe before it, unless it is a
number of ours. Spreadsheets leave out characters that show nothing before they look, each its own,
so all of them are looked through. Source: OWASP, CSV injection.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from unicodedata import normalize

from domain.invisible import shows_nothing

MEDIA_TYPE: Final = "text/csv; charset=utf-8; header=present"

_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_BREAKS: Final = ("\t", "\r", "\n")
_FORMULA: Final = frozenset("=+-@")


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """A line of names and a line for each row; what a row has no value for is empty."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return written.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = str(value)
    if _is_formula(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def _is_formula(text: str) -> bool:
    """Whether a spreadsheet might carry the text out, or a control may move it to where it would.

    A cell that begins with a tab or a line break is escaped whatever follows, as OWASP asks.
    """
    if text.startswith(_BREAKS):
        return True
    seen = next((one for one in text if not shows_nothing(one)), "")
    # Full-width, small and raised forms are as good as the plain ones.
    return normalize("NFKC", seen) in _FORMULA
