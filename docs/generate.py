"""Draws the pages of docs/ that are made and not written: the life cycle and the OpenAPI document.

    python docs/generate.py           draw them again
    python docs/generate.py --check   say which are not current, and exit 1

It decides nothing: the life cycle is the table in domain/lifecycle.py, the OpenAPI document is what
`lendwire openapi` prints.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from domain.lifecycle import TERMINAL, TRANSITIONS, LoanStatus

DOCS: Final = Path(__file__).parent

LIFE_CYCLE: Final = """\
# The life cycle of a loan

Drawn from the table in `domain/lifecycle.py` by `make docs`; change the table, not this page.
Where a move leads to more than one state, what is left to pay decides. A move that has no arrow
from a state is refused with 409, which names the state and the move.

```mermaid
stateDiagram-v2
{arrows}
```

| from | {heads} |
| --- |{rules}
{rows}
"""


def arrows() -> Iterator[str]:
    """The diagram: a loan begins when it is submitted; an arrow for each move and state after."""
    yield f"    [*] --> {LoanStatus.SUBMITTED}: submit"
    for move, leads in TRANSITIONS.items():
        for before, afters in leads.items():
            for after in afters:
                yield f"    {before} --> {after}: {move}"
    for status in LoanStatus:
        if status in TERMINAL:
            yield f"    {status} --> [*]"


def rows() -> Iterator[str]:
    """The same as a table: a row a state, a column a move."""
    for before in LoanStatus:
        cells = [", ".join(leads.get(before, ())) or "-" for leads in TRANSITIONS.values()]
        yield f"| **{before}** | {' | '.join(cells)} |"


def life_cycle() -> str:
    """The page about the life cycle, as Markdown with a Mermaid diagram."""
    return LIFE_CYCLE.format(
        arrows="\n".join(arrows()),
        heads=" | ".join(TRANSITIONS),
        rules=" --- |" * len(TRANSITIONS),
        rows="\n".join(rows()),
    )


def openapi() -> str:
    """The OpenAPI document, as the installed command prints it."""
    command = Path(sys.executable).with_name("lendwire")
    return subprocess.run([command, "openapi"], check=True, capture_output=True, text=True).stdout


PAGES: Final[dict[str, Callable[[], str]]] = {"lifecycle.md": life_cycle, "openapi.json": openapi}


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check compare them; 0 when all is current."""
    stale = []
    for name, draw in PAGES.items():
        page, drawn = DOCS / name, draw()
        if not page.exists() or page.read_text(encoding="utf-8") != drawn:
            stale.append(name)
            if "--check" not in arguments:
                page.write_text(drawn, encoding="utf-8")
    said = "not current" if "--check" in arguments else "drawn again"
    print("\n".join(f"docs/{name}: {said}" for name in stale) or "docs: all current")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
