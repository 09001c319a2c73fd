"""Statements: compiled once, every value a named parameter, anything else refused."""

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert

from persistence.postgres.statements import Statement, StatementRefused, compiled

TABLE = sa.Table(
    "entries",
    sa.MetaData(),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("status", sa.Text),
    sa.Column("amount_minor", sa.BigInteger),
)
AGED = sa.Table(
    "aged", sa.MetaData(), sa.Column("id", sa.Integer), sa.Column("age", sa.Integer, default=7)
)


def test_a_select_takes_its_values_in_the_order_of_the_text() -> None:
    statement = compiled(
        sa.select(TABLE.c.id)
        .where(TABLE.c.status == sa.bindparam("status"))
        .where(TABLE.c.amount_minor == sa.any_(sa.bindparam("amounts", type_=ARRAY(sa.BigInteger))))
        .limit(sa.bindparam("page_size"))
    )
    assert statement.names == ("status", "amounts", "page_size")
    assert "ANY ($2::BIGINT[])" in statement.sql
    assert statement.arguments(page_size=5, amounts=[1, 2], status="x") == ("x", [1, 2], 5)


def test_a_value_used_twice_is_passed_once() -> None:
    statement = compiled(
        insert(TABLE)
        .values(
            id=sa.bindparam("id"),
            status=sa.bindparam("status"),
            amount_minor=sa.bindparam("amount_minor"),
        )
        .on_conflict_do_update(index_elements=["id"], set_={"status": sa.bindparam("status")})
    )
    assert statement.names == ("id", "status", "amount_minor")
    assert statement.sql.count("$2") == 2


def test_text_is_compiled_as_well() -> None:
    statement = compiled(sa.text("SELECT :a, :b, '100%', x::int WHERE CAST(:a AS int) > 1"))
    sql = "SELECT $1, $2, '100%', x::int WHERE CAST($1 AS int) > 1"
    assert statement == Statement(sql, ("a", "b"))


def test_a_missing_or_unknown_value_is_refused() -> None:
    statement = compiled(sa.text("SELECT :a, :b"))
    with pytest.raises(TypeError, match="'b'"):
        statement.arguments(a=1)
    with pytest.raises(TypeError, match="c"):
        statement.arguments(a=1, b=2, c=3)
    assert compiled(sa.text("SELECT 1")).arguments() == ()


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (sa.select(TABLE.c.id).where(TABLE.c.status == "open"), "literal"),
        (sa.select(TABLE.c.id).limit(3), "literal"),
        (sa.select(TABLE.c.id).where(TABLE.c.id == sa.bindparam("id", value=1)), "literal"),
        (sa.select(TABLE.c.id).where(TABLE.c.status.in_(["a", "b"])), "IN lists"),
        (sa.select(TABLE.c.id).where(TABLE.c.status.in_(sa.bindparam("s"))), "IN lists"),
        (sa.select(sa.bindparam("x", literal_execute=True)), "literal_execute"),
        (sa.insert(AGED).values(id=sa.bindparam("id")), "default made in Python"),
        (sa.insert(TABLE).values(id=sa.bindparam("id"), status="open"), "literal"),
        (sa.text("SELECT :a::int"), "CAST"),
    ],
)
def test_what_would_need_sqlalchemy_at_execution_is_refused(
    expression: sa.ClauseElement, reason: str
) -> None:
    with pytest.raises(StatementRefused, match=reason):
        compiled(expression)
