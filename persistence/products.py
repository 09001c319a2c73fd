"""Products and their versions: made, given further versions, and read.

Every version stays as it was: a loan names the one that it was made on.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Final, final

import asyncpg
import msgspec
from sqlalchemy import text

from domain.commands.loans import CommandContext
from domain.commands.products import (
    CreateProduct,
    ReplaceProduct,
    create_product,
    replace_product,
)
from domain.identifiers import ProductId
from domain.loan.decision import Committed
from domain.queries import ListProducts
from domain.rejections import AccessRefusal, Rejected
from domain.reports.views import Page
from domain.terms.product import Product, ProductView
from persistence.commit import side_writes
from persistence.commit.idempotency import claim_or_answer, id_taken
from persistence.commit.side_writes import BESIDE, AuditEntry, all_columns
from persistence.commit.unit_of_work import UnitsOfWork
from persistence.commit.write_plan import Parts, WritePlan, insert_one, update_one
from persistence.connections import Connections
from persistence.postgres.keyset import KeysetList
from persistence.postgres.statements import compiled
from persistence.postgres.transaction import Transaction
from persistence.tables import PRODUCT_VERSIONS, PRODUCTS

NO_SUCH_PRODUCT: Final = Rejected(AccessRefusal.NOT_FOUND, "There is no such product.")
PRODUCT_PARTS: Final = Parts(
    {
        "product_new": lambda: insert_one("product_new", PRODUCTS, all_columns(PRODUCTS)),
        "product": lambda: update_one(
            "product", PRODUCTS, ("id", "version"), ("version", "updated_at")
        ),
        "product_version": lambda: insert_one(
            "product_version", PRODUCT_VERSIONS, all_columns(PRODUCT_VERSIONS)
        ),
        **BESIDE,
    }
)
_COLUMNS: Final = "p.id, p.created_at, v.at AS updated_at, v.document"
_LATEST: Final = (
    "products AS p JOIN product_versions AS v ON v.product_id = p.id AND v.version = p.version"
)
# The lock comes alone: what is read beside it is read as of before the wait for it.
LOCK_PRODUCT: Final = compiled(
    text("SELECT id FROM products WHERE id = CAST(:product_id AS uuid) FOR NO KEY UPDATE")
)
SELECT_VERSION: Final = compiled(
    text(
        f"SELECT {_COLUMNS} FROM products AS p JOIN product_versions AS v"  # noqa: S608
        " ON v.product_id = p.id"
        " WHERE p.id = CAST(:product_id AS uuid)"
        " AND v.version = coalesce(CAST(:version AS integer), p.version)"
    )
)
LIST: Final = KeysetList(_COLUMNS, _LATEST, "p.id", {})


@final
class PostgresProducts:
    """Satisfies the port `Products`. Every method may raise an Outage."""

    def __init__(self, connections: Connections, units: UnitsOfWork) -> None:
        self._connections = connections
        self._units = units

    async def create(
        self, command: CreateProduct, context: CommandContext
    ) -> Committed[ProductView] | Rejected:
        """Keep the first version of a product."""
        try:
            return await self._units.carry_out(functools.partial(_create, command, context))
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name == "pk_products":
                return id_taken("product")
            raise

    async def replace(
        self, command: ReplaceProduct, context: CommandContext
    ) -> Committed[ProductView] | Rejected:
        """Keep a further version of a product; NOT_FOUND when there is none."""
        return await self._units.carry_out(functools.partial(_replace, command, context))

    async def product(self, product_id: ProductId, version: int | None) -> ProductView | None:
        """A version of a product, by default the latest."""
        row = await self._connections.run(
            functools.partial(
                self._connections.pool.fetchrow,
                SELECT_VERSION,
                product_id=product_id,
                version=version,
            )
        )
        return None if row is None else _view(row)

    async def products(self, query: ListProducts) -> Page[ProductView]:
        """A page of the products, each in its latest version."""
        return await self._connections.run(LIST.page, self._connections.pool, query.page, {}, _view)


async def _create(
    command: CreateProduct, context: CommandContext, tx: Transaction
) -> Committed[ProductView] | Rejected:
    answered = await claim_or_answer(tx, context.idempotency)
    if answered is not None:
        return answered
    product = create_product(command)
    if isinstance(product, Rejected):
        return product
    plan = WritePlan(PRODUCT_PARTS)
    view = ProductView(product, context.at, context.at)
    row = {"id": product.id, "version": 1, "created_at": context.at, "updated_at": context.at}
    plan.one("product_new", row)
    return await _kept(plan, None, view, context, tx)


async def _replace(
    command: ReplaceProduct, context: CommandContext, tx: Transaction
) -> Committed[ProductView] | Rejected:
    if await tx.fetchval(LOCK_PRODUCT, product_id=command.product_id) is None:
        return NO_SUCH_PRODUCT
    row = await tx.fetchrow(SELECT_VERSION, product_id=command.product_id, version=None)
    assert row is not None, "a product has its latest version"
    stood = _view(row)
    now = stood.product
    seen = None
    if command.expected_version != now.version:
        values = {"product_id": now.id, "version": command.expected_version}
        earlier = await tx.fetchrow(SELECT_VERSION, **values)
        seen = None if earlier is None else _view(earlier).product
    after = replace_product(now, seen, command)
    if isinstance(after, Rejected):
        return after
    if after == now:
        return Committed(stood)
    plan = WritePlan(PRODUCT_PARTS)
    plan.one(
        "product",
        {
            "key_id": now.id,
            "key_version": now.version,
            "version": after.version,
            "updated_at": context.at,
        },
    )
    return await _kept(plan, now, ProductView(after, stood.created_at, context.at), context, tx)


async def _kept(
    plan: WritePlan,
    before: Product | None,
    view: ProductView,
    context: CommandContext,
    tx: Transaction,
) -> Committed[ProductView]:
    product = view.product
    plan.one(
        "product_version",
        {
            "product_id": product.id,
            "version": product.version,
            "document": product,
            "at": context.at,
            "by": context.principal.user_id,
        },
    )
    side_writes.authored(plan, context)
    side_writes.audit(plan, _audit(before, product, context))
    side_writes.answer(plan, context, view)
    await plan.carry_out(tx)
    return Committed(view)


def _audit(before: Product | None, after: Product, context: CommandContext) -> AuditEntry:
    return AuditEntry(
        id=context.event_id,
        at=context.at,
        actor_id=context.principal.user_id,
        action="product_created" if before is None else "product_changed",
        entity_type="product",
        entity_id=after.id,
        branch_id=None,
        request_id=context.request_id,
        address=context.address,
        before=None if before is None else msgspec.to_builtins(before),
        after=msgspec.to_builtins(after),
    )


def _view(row: Mapping[str, Any]) -> ProductView:
    return ProductView(
        msgspec.convert(row["document"], Product), row["created_at"], row["updated_at"]
    )
