"""Draws the pages of docs/ that are made and not written: life cycle, roles, API documents.

    python docs/generate.py           draw them again
    python docs/generate.py --check   say which are not current, and exit 1

It decides nothing: the life cycle is the table in domain/loan/lifecycle.py, the roles are the
tables in domain/access/roles.py, the API documents are what `lendwire openapi` and `lendwire
asyncapi` print when nothing is set.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from domain.access.roles import FOR_OTHERS_ONLY, MANAGEABLE, PERMISSIONS, Action, Role, Scope
from domain.loan.lifecycle import TRANSITIONS, LoanStatus, diagram

DOCS: Final = Path(__file__).parent

LIFE_CYCLE: Final = """\
# The life cycle of a loan

Drawn from the table in `domain/loan/lifecycle.py` by `make docs`; change the table, not this page.
Where a move leads to more than one state, what is left to pay decides. A move that has no arrow
from a state is refused with 409, which names the state and the move.

```mermaid
{diagram}```

| from | {heads} |
| --- |{rules}
{rows}
"""

ROLES: Final = """\
# Who may do what

Drawn from the tables in `domain/access/roles.py` by `make docs`; change the tables, not this page.
REST, lists and sockets all ask the same table. What somebody may not see is answered as if it were
not there (404); what they may see but not do is refused (403).

**own**: the loans of which they are the customer. **branch**: what belongs to their branch; without
a branch it is nothing. **all**: everything on this node. **-**: not at all.

| action | what it is | {heads} |
| --- | --- |{rules}
{rows}

Nobody may {own} a loan of which they are the customer, whatever their role is now.

## Whom they may make and change

With the scope of `manage_users`. An administrator who belongs to a branch manages only its
customers, officers and managers. Everybody may change their own name and their own password.

| role | may manage |
| --- | --- |
{managed}
"""

# What each action stands for, in the words of those who do it.
MEANINGS: Final[dict[Action, str]] = {
    Action.READ: "read loans, schedules, payments, comments and the dashboard",
    Action.COMMENT: "comment on a loan",
    Action.APPLY: "submit an application, amend it, withdraw it",
    Action.DECIDE: "approve or reject an application, undo an approval; waive, change rate or "
    "plan, write off and undo it",
    Action.SERVICE: "disburse and undo it; record, annotate and reverse payments, pay off; "
    "record recoveries; charge; refund a credit",
    Action.CONFIGURE: "make and change products",
    Action.MANAGE_USERS: "make, read, change and deactivate other users",
    Action.READ_BOOKS: "the journal, the trial balance and the audit trail",
    Action.SETTLE_SYNC: "conflicts with a head office; nothing asks for it in this release",
    Action.OPERATE: "see how the node is: link, queue, connections; so may whoever may read",
    Action.WATCH: "hear on a socket of one's own what another user hears; each time is audited",
}


def moves() -> Iterator[str]:
    """The life cycle as a table: a row a state, a column a move."""
    for before in LoanStatus:
        cells = [", ".join(leads.get(before, ())) or "-" for leads in TRANSITIONS.values()]
        yield f"| **{before}** | {' | '.join(cells)} |"


def life_cycle() -> str:
    """The page about the life cycle, as Markdown with a Mermaid diagram."""
    return LIFE_CYCLE.format(
        diagram=diagram(),
        heads=" | ".join(TRANSITIONS),
        rules=" --- |" * len(TRANSITIONS),
        rows="\n".join(moves()),
    )


def permissions() -> Iterator[str]:
    """Who may do what as a table: a row an action, a column a role."""
    for action in Action:
        scopes: list[Scope | str] = [PERMISSIONS[role].get(action, "-") for role in Role]
        yield f"| `{action}` | {MEANINGS[action]} | {' | '.join(scopes)} |"


def managed() -> Iterator[str]:
    """Who may manage whom: a row a role that may manage anybody."""
    for role in Role:
        if role in MANAGEABLE:
            whom = ", ".join(other for other in Role if other in MANAGEABLE[role])
            yield f"| {role} | {whom} |"


def roles() -> str:
    """The page about roles, as Markdown."""
    return ROLES.format(
        heads=" | ".join(Role),
        rules=" --- |" * len(Role),
        rows="\n".join(permissions()),
        own=" or ".join(f"`{action}`" for action in Action if action in FOR_OTHERS_ONLY),
        managed="\n".join(managed()),
    )


def openapi() -> str:
    """The OpenAPI document."""
    return printed("openapi")


def asyncapi() -> str:
    """The AsyncAPI document."""
    return printed("asyncapi")


def printed(document: str) -> str:
    """What the command prints where no setting is made."""
    command = (sys.executable, "-m", "server", document)
    here = {"PYTHONPATH": str(DOCS.parent)}
    with tempfile.TemporaryDirectory() as nowhere:
        ended = subprocess.run(
            command, check=True, capture_output=True, text=True, env=here, cwd=nowhere
        )
    return ended.stdout


PAGES: Final[dict[str, Callable[[], str]]] = {
    "lifecycle.md": life_cycle,
    "roles.md": roles,
    "openapi.json": openapi,
    "asyncapi.json": asyncapi,
}


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
