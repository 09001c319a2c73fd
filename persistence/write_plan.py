"""All rows that one decision writes, sent as one statement: a plan of parts, compiled once a shape.

Each part is a data-modifying CTE over arrays (`unnest`) or single values; the statement's own row
tells how many rows each part wrote, in the order of the parts. The notices for the feed are the
last part, so that their staging numbers are drawn when all else is written; what they must follow,
the lock on the loan, was taken by an earlier statement. This module knows no table's meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, final

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    Table,
    bindparam,
    func,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from persistence.statements import Statement, compiled
from persistence.transaction import Transaction

Shape = tuple[str, ...]
PartBuilder = Callable[[], CTE]
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
    """What one transaction is going to write."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._values: dict[str, dict[str, object]] = {}
        self._expected: dict[str, int] = {}

    def one(self, part: str, values: Mapping[str, object]) -> None:
        """Give the values of a part that writes one row."""
        self._values[part] = {f"{part}__{name}": value for name, value in values.items()}
        self._expected[part] = 1

    def many(self, part: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Give the rows of a part that writes as many as it is given; none leave it out."""
        if rows:
            names = rows[0].keys()
            self.columns(part, {name: [row[name] for row in rows] for name in names})

    def columns(self, part: str, columns: Mapping[str, Sequence[object]]) -> None:
        """The same, one list a column; empty lists leave the part out."""
        lengths = {len(values) for values in columns.values()}
        assert len(lengths) == 1, "columns of one length"
        count = lengths.pop()
        if count:
            self._values[part] = {f"{part}__{name}": values for name, values in columns.items()}
            self._expected[part] = count

    async def carry_out(self, tx: Transaction) -> None:
        """Send it; LostRow when a part did not write all its rows: the version had moved on."""
        statement = self._parts.statement(self._values)
        values: dict[str, object] = {}
        for given in self._values.values():
            values.update(given)
        row = await tx.fetchrow(statement, **values)
        assert row is not None, "the statement always has one row"
        for part, expected in self._expected.items():
            if row[part] != expected:
                raise LostRow(f"{part}: {row[part]} of {expected} rows were written")


class LostRow(Exception):
    """A row that was to be written was not there, or not as it had been read."""


def insert_many(part: str, table: Table, columns: Sequence[str]) -> CTE:
    """INSERT the rows that come as arrays."""
    given = _arrays(part, [table.c[name] for name in columns])
    return (
        insert(table)
        .from_select(list(columns), given, include_defaults=False)
        .returning(_ONE)
        .cte(part)
    )


def upsert_many(part: str, table: Table, columns: Sequence[str]) -> CTE:
    """INSERT the rows that come as arrays, or put them in the place of those with the same key."""
    given = _arrays(part, [table.c[name] for name in columns])
    adding = insert(table).from_select(list(columns), given, include_defaults=False)
    keys = [column.name for column in table.primary_key]
    kept = {name: adding.excluded[name] for name in columns if name not in keys}
    return adding.on_conflict_do_update(index_elements=keys, set_=kept).returning(_ONE).cte(part)


def update_many(
    part: str,
    table: Table,
    keys: Sequence[str],
    columns: Sequence[str],
    *,
    kept: Sequence[str] = (),
    versioned: bool = False,
) -> CTE:
    """UPDATE the rows whose keys and new values come as arrays.

    A column in `kept` changes only where it is NULL; `versioned` counts the rows' versions up.
    """
    given = _arrays(part, [table.c[n] for n in (*keys, *columns, *kept)]).subquery(f"{part}_rows")
    values: dict[str, Any] = {name: given.c[name] for name in columns}
    values.update({name: func.coalesce(table.c[name], given.c[name]) for name in kept})
    if versioned:
        values["version"] = table.c.version + text("1")
    changing = update(table).values(values)
    for key in keys:
        changing = changing.where(table.c[key] == given.c[key])
    return changing.returning(_ONE).cte(part)


def insert_one(part: str, table: Table, columns: Sequence[str]) -> CTE:
    """INSERT one row of single values."""
    values = {name: _value(part, table.c[name]) for name in columns}
    return insert(table).values(values).returning(_ONE).cte(part)


def update_one(part: str, table: Table, keys: Sequence[str], columns: Sequence[str]) -> CTE:
    """UPDATE the row with these keys; a key `x` comes as `key_x`, so that it may change itself."""
    changing = update(table).values({name: _value(part, table.c[name]) for name in columns})
    for key in keys:
        column = table.c[key]
        changing = changing.where(column == bindparam(f"{part}__key_{key}", type_=column.type))
    return changing.returning(_ONE).cte(part)


def _value(part: str, column: Column[Any]) -> Any:
    return bindparam(f"{part}__{column.name}", type_=column.type)


def _arrays(part: str, columns: Sequence[Column[Any]]) -> Any:
    """SELECT from the arrays of a part, a row for each place in them."""
    arrays = [
        bindparam(f"{part}__{column.name}", type_=ARRAY(column.type), required=True)
        for column in columns
    ]
    given = (
        func.unnest(*arrays)
        .table_valued(*[Column(column.name, column.type) for column in columns])
        .render_derived(name=f"{part}_given")
    )
    return select(*[given.c[column.name] for column in columns])


def _compose(parts: Mapping[str, CTE]) -> Statement:
    counts = [
        select(func.count()).select_from(part).scalar_subquery().label(name)
        for name, part in parts.items()
    ]
    return compiled(select(*counts))
