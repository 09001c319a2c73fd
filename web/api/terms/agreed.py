"""The terms of a loan that a body asks for, filled from the product that it names."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from domain.identifiers import ProductId
from domain.queries import ReadProduct
from domain.rejections import FieldFault
from domain.terms.idle_terms import without_effect
from domain.terms.product import Product, ProductView, not_offered, outside_product
from domain.terms.terms import Terms
from web.api.terms.bodies import LoanTermsBody, TermsBody
from web.responses.problems import Problem, from_rejected, invalid_fields
from web.routing.call import Call


@dataclass(frozen=True, slots=True)
class AgreedTerms:
    """Terms, and the version of the product on which they are made."""

    terms: Terms
    product: Product | None

    def refused(self) -> Problem | None:
        """Refuse what the product does not allow; for what is only asked, and never decided."""
        product = self.product
        within = None if product is None else outside_product(product.id, product, self.terms)
        found = within or not_offered(product) or without_effect(self.terms, product)
        return None if found is None else from_rejected(found)


async def agreed_terms(call: Call, body: LoanTermsBody) -> AgreedTerms | Problem:
    """The terms of a new loan: on the latest version of the product, if one is named."""
    if body.product_id is None:
        return filled(call, body, None)
    return await on_product(call, body, ReadProduct(ProductId(body.product_id)))


async def on_product(call: Call, body: TermsBody, query: ReadProduct) -> AgreedTerms | Problem:
    """The terms on a version of a product; 422 when there is none."""
    found = await call.ask(query, ProductView)
    if isinstance(found, ProductView):
        return filled(call, body, found.product)
    if found.status != HTTPStatus.NOT_FOUND:
        return found
    return invalid_fields(FieldFault("/product_id", "unknown_product", "names no product"))


def filled(call: Call, body: TermsBody, product: Product | None) -> AgreedTerms | Problem:
    """The terms that `body` says, with what it left out from `product` or as usual."""
    defaults = None if product is None else product.defaults
    terms = body.terms(call.desk.doors.options.default_currency, defaults)
    if isinstance(terms, tuple):
        return invalid_fields(*terms)
    return AgreedTerms(terms, product)
