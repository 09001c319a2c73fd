"""All rows that one decision writes, sent as one statement: a plan of parts, compiled once a shape.

Each part is a data-modifying CTE over rows that come as one JSON value (an array for each column
costs the driver five times as much); the statement's own row tells how many rows each part wrote.
The notices for the feed are the last part, so that their staging numbers are drawn when all else is
written; what they must follow, the lock on the loan, was taken by an earlier statement. This module
knows no table's meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, final

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    Table,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert

from persistence.postgres.statements import Statement, compiled
from persistence.postgres.transaction import Transaction

Shape = tuple[str, ...]
PartBuilder = Callable[[], CTE]
Reckoned = Callable[[Any], Mapping[str, Any]]
_ONE: Final[ColumnElement[int]] = literal_column("1")


@final
class Parts:
    """The parts that a kind of transaction may be made of, in the order in which they run."""

    def __init__(self, builders: Mapping[str, PartBuilder]) -> None:
        self._builders = dict(builders)
        self._statements: dict[Shape, Statement] = {}

    def statement(self, names: Iterable[str]) -> Statement:
        """The statement of these parts."""
        wanted = set(names)
        shape = tuple(name for name in self._builders if name in wanted)
        if len(shape) != len(wanted):
            raise KeyError(f"no such part: {sorted(wanted - set(shape))}")
        known = self._statements.get(shape)
        if known is None:
            known = self._statements[shape] = _compose(
                {name: self._builders[name]() for name in shape}
            )
        return known


@final
class WritePlan:
    """What one transaction is going to write: rows by part, each a mapping of its columns."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._values: dict[str, object] = {}
        self._expected: dict[str, int] = {}
        self._otherwise: dict[str, Exception] = {}

    def one(self, part: str, row: Mapping[str, object]) -> None:
        """Give the row of a part that writes one."""
        self._values[part] = row
        self._expected[part] = 1

    def only_if(self, part: str, row: Mapping[str, object], otherwise: Exception) -> None:
        """Give the row that a part must find for the rest to hold; else `otherwise` is raised."""
        self.one(part, row)
        self._otherwise[part] = otherwise

    def many(self, part: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Give the rows of a part that writes as many as it is given; none leave it out."""
        if rows:
            self._values[part] = rows
            self._expected[part] = len(rows)

    async def carry_out(self, tx: Transaction) -> None:
        """Send it; LostRow when a part did not write all its rows: the version had moved on.

        What all else depends on is looked at first, and raises what it was given for that.
        """
        row = await tx.fetchrow(self._parts.statement(self._values), **self._values)
        assert row is not None, "the statement always has one row"
        for part, otherwise in self._otherwise.items():
            if row[part] != self._expected[part]:
                raise otherwise
        for part, expected in self._expected.items():
            if row[part] != expected:
                raise LostRow(f"{part}: {row[part]} of {expected} rows were written")


class LostRow(Exception):
    """A row that was to be written was not there, or not as it had been read."""


def find_one(part: str, table: Table, keys: Sequence[str]) -> CTE:
    """SELECT the row with these keys, as the statement that writes sees it, and lock nothing."""
    given = _given(part, [table.c[name] for name in keys], many=False)
    wanted = [table.c[key] == given.c[key] for key in keys]
    return select(_ONE).select_from(table.join(given, and_(*wanted))).cte(part)


def insert_many(
    part: str, table: Table, columns: Sequence[str], reckoned: Reckoned | None = None
) -> CTE:
    """INSERT the rows given, with what is `reckoned` of them in the place of what they say."""
    given = _given(part, [table.c[name] for name in columns], many=True)
    values: dict[str, Any] = {name: given.c[name] for name in columns}
    if reckoned is not None:
        values.update(reckoned(given))
    rows = select(*values.values())
    adding = insert(table).from_select(list(columns), rows, include_defaults=False)
    return adding.returning(_ONE).cte(part)


def insert_one(part: str, table: Table, columns: Sequence[str]) -> CTE:
    """INSERT the row given."""
    given = _given(part, [table.c[name] for name in columns], many=False)
    return _inserting(table, columns, given).returning(_ONE).cte(part)


def upsert_many(part: str, table: Table, columns: Sequence[str]) -> CTE:
    """INSERT the rows given, or put them in the place of those with the same key."""
    given = _given(part, [table.c[name] for name in columns], many=True)
    adding = _inserting(table, columns, given)
    keys = [column.name for column in table.primary_key]
    kept = {name: adding.excluded[name] for name in columns if name not in keys}
    return adding.on_conflict_do_update(index_elements=keys, set_=kept).returning(_ONE).cte(part)


def update_many(  # noqa: PLR0913  one call says how rows change
    part: str,
    table: Table,
    keys: Sequence[str],
    columns: Sequence[str],
    *,
    shared: str | None = None,
    kept: Sequence[str] = (),
    versioned: bool = False,
) -> CTE:
    """UPDATE the rows with the keys given.

    `shared` is a key that is the same in all rows: said once, it lets the planner begin there. A
    column in `kept` changes only where it is NULL; `versioned` counts the rows' versions up.
    """
    given = _given(part, [table.c[name] for name in (*keys, *columns, *kept)], many=True)
    values: dict[str, Any] = {name: given.c[name] for name in columns}
    values.update({name: func.coalesce(table.c[name], given.c[name]) for name in kept})
    if versioned:
        values["version"] = table.c.version + text("1")
    changing = update(table).values(values)
    if shared is not None:
        kind = table.c[shared].type.compile(postgresql.dialect())  # type: ignore[no-untyped-call]
        first = text(f"{table.name}.{shared} = CAST(:{part} -> 0 ->> '{shared}' AS {kind})")
        changing = changing.where(first.bindparams(bindparam(part, type_=JSONB, required=True)))
    for key in keys:
        if key != shared:
            changing = changing.where(table.c[key] == given.c[key])
    return changing.returning(_ONE).cte(part)


def update_one(part: str, table: Table, keys: Sequence[str], columns: Sequence[str]) -> CTE:
    """UPDATE the row with these keys; a key `x` comes as `key_x`, so that it may change itself."""
    named = [Column(f"key_{key}", table.c[key].type) for key in keys]
    given = _given(part, [*named, *(table.c[name] for name in columns)], many=False)
    changing = update(table).values({name: given.c[name] for name in columns})
    for key in keys:
        changing = changing.where(table.c[key] == given.c[f"key_{key}"])
    return changing.returning(_ONE).cte(part)


def delete_many(part: str, table: Table, keys: Sequence[str]) -> CTE:
    """DELETE the rows with the keys given."""
    given = _given(part, [table.c[name] for name in keys], many=True)
    going = delete(table)
    for key in keys:
        going = going.where(table.c[key] == given.c[key])
    return going.returning(_ONE).cte(part)


def _inserting(table: Table, columns: Sequence[str], given: Any) -> Insert:
    rows = select(*[given.c[name] for name in columns])
    return insert(table).from_select(list(columns), rows, include_defaults=False)


def _given(part: str, columns: Sequence[Column[Any]], *, many: bool) -> Any:
    """The part's own JSON as rows with these columns; planned as one row where it is one."""
    value = bindparam(part, type_=JSONB, required=True)
    rows = func.jsonb_to_recordset(value) if many else func.jsonb_to_record(value)
    typed = [Column(column.name, column.type) for column in columns]
    return rows.table_valued(*typed).render_derived(name=f"{part}_given", with_types=True)


def _compose(parts: Mapping[str, CTE]) -> Statement:
    counts = [
        select(func.count()).select_from(part).scalar_subquery().label(name)
        for name, part in parts.items()
    ]
    return compiled(select(*counts))
