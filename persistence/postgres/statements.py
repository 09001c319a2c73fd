"""SQLAlchemy Core statements compiled once to asyncpg's `$n` text; execution is not here.

Every value is a bind parameter with a name. Refused at compile time, because we bypass SQLAlchemy's
execution: literals, Python-side defaults, `IN` lists (write `= ANY(:ids)`), literal_execute.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, final

from sqlalchemy.dialects.postgresql import asyncpg as dialects
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import CompilerElement

# SQLAlchemy's text takes no parameter from `:name::type`, and would send it as it stands.
_LOST_PARAMETER: Final = re.compile(r"(?<![:\w]):[a-z_]\w*::")
_DIALECT: Final = dialects.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


class StatementRefused(ValueError):
    """The statement would need SQLAlchemy at execution time: a fault of whoever wrote it."""


@final
@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text with `$1 …` and the names of its parameters, in that order, each once."""

    sql: str
    names: tuple[str, ...]

    def arguments(self, **values: object) -> tuple[object, ...]:
        """The values in the order of the text; TypeError unless exactly the names are given."""
        try:
            arguments = tuple([values[name] for name in self.names])
        except KeyError as missing:
            raise TypeError(f"no value for {missing} in: {self.sql}") from None
        if len(arguments) != len(values):
            unknown = sorted(values.keys() - set(self.names))
            raise TypeError(f"no such parameter: {', '.join(unknown)} in: {self.sql}")
        return arguments


def compiled(expression: CompilerElement) -> Statement:
    """Compile a Core statement (or `text`), meant to be done once, where the module is loaded.

    Raises StatementRefused for what cannot become plain text and named parameters.
    """
    result = expression.compile(dialect=_DIALECT)
    assert isinstance(result, SQLCompiler), "only statements, no DDL"
    _refuse_late_work(result)
    return Statement(str(result), tuple(result.positiontup or ()))


def _refuse_late_work(result: SQLCompiler) -> None:
    sql = result.string
    if _LOST_PARAMETER.search(sql):
        raise StatementRefused(f"write CAST(:name AS type) in: {sql}")
    if result.post_compile_params or result.literal_execute_params:
        raise StatementRefused(f"IN lists and literal_execute: write = ANY(:name) in: {sql}")
    if result.insert_prefetch or result.update_prefetch:
        columns = ", ".join(str(c) for c in (*result.insert_prefetch, *result.update_prefetch))
        raise StatementRefused(f"default made in Python for {columns} in: {sql}")
    for name in result.positiontup or ():
        if not result.binds[name].required:
            raise StatementRefused(f"literal value instead of a parameter ({name}) in: {sql}")
