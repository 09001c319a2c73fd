"""The products desk: whoever configures the lender makes products, whoever may apply sees them.

Part of the command desk and of the query desk. What makes a product sound is the domain's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from actors.messages.user_session import Answered, CarriedOut
from actors.ports.stores import Products
from actors.session.loan_decisions import not_allowed, not_found
from domain.access.account import Account
from domain.access.roles import Action, sight
from domain.commands.loans import CommandContext
from domain.commands.products import CreateProduct, ProductCommand, ReplaceProduct
from domain.queries import ListProducts, ReadProduct


@dataclass(frozen=True, slots=True)
class ProductsDesk:
    """Keeps and reads products. Every method may raise an Outage."""

    products: Products

    async def carry_out(self, command: ProductCommand, context: CommandContext) -> CarriedOut:
        """Keep a version of a product, for whoever may configure."""
        match command:
            case CreateProduct():
                return await self.products.create(command, context)
            case ReplaceProduct():
                return await self.products.replace(command, context)
            case _:
                assert_never(command)

    async def answer(self, account: Account, query: ReadProduct | ListProducts) -> Answered:
        """Show products to whoever may apply for loans."""
        if sight(account.principal, Action.APPLY) is None:
            return not_allowed(account.principal, "see products")
        match query:
            case ReadProduct():
                found = await self.products.product(query.product_id, query.version)
                return found or not_found("product")
            case ListProducts():
                return await self.products.products(query)
            case _:
                assert_never(query)
