"""Quotes, and what would become of a loan if; nothing that is asked here is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from domain.identifiers import LoanId
from domain.queries import QuoteTerms, SupposeOfLoan
from domain.simulation.quote import QuoteView, WhatIfView
from domain.simulation.what_if import WhatIf
from web.api.terms.agreed import agreed_terms
from web.api.what_if.scenarios import ScenarioBody, WhatIfBody, suppositions_of
from web.api.what_if.shapes import (
    QuoteBody,
    QuoteShape,
    WhatIfShape,
    render_quote,
    render_scenario,
    render_what_if,
)
from web.requests.parsing import OF_SCENARIOS
from web.responses.problems import Problem
from web.responses.replies import Outcome, Reply
from web.routing.call import Call
from web.routing.route import Route


async def quote_terms(call: Call) -> Outcome:
    """What terms come to, without a loan."""
    body = call.fields(QuoteBody)
    agreed = await agreed_terms(call, body)
    if isinstance(agreed, Problem):
        return agreed
    refused = agreed.refused()
    if refused is not None:
        return refused
    quote = await call.ask(QuoteTerms(agreed.terms, suppositions_of(body.scenarios)), QuoteView)
    if isinstance(quote, Problem):
        return quote
    scenarios = await _scenarios(body.scenarios, quote.answer, quote.terms.currency)
    return Reply({**render_quote(quote), "scenarios": scenarios})


async def suppose_of_loan(call: Call) -> Outcome:
    """What would become of a loan, scenario by scenario."""
    body = call.fields(WhatIfBody)
    query = SupposeOfLoan(LoanId(call.ids["loan_id"]), suppositions_of(body.scenarios))
    view = await call.ask(query, WhatIfView)
    if isinstance(view, Problem):
        return view
    scenarios = await _scenarios(body.scenarios, view.answer, view.currency)
    return Reply({**render_what_if(view), "scenarios": scenarios})


async def _scenarios(
    asked: Sequence[ScenarioBody], answer: WhatIf, currency: str
) -> list[dict[str, object]]:
    """The scenarios as JSON; each is a whole schedule, so everybody else has a turn in between."""
    rendered: list[dict[str, object]] = []
    for scenario, told in zip(asked, answer.scenarios, strict=True):
        rendered.append(render_scenario(scenario.name, told, currency))
        await trio.lowlevel.checkpoint()
    return rendered


WHAT_IF: Final = (
    Route(
        method="POST",
        path="/loans/quote",
        handler=quote_terms,
        summary="Quote terms without a loan",
        tag="loans",
        answers={200: QuoteShape},
        body=QuoteBody,
        body_limits=OF_SCENARIOS,
        problems=(403,),
        writes=False,
    ),
    Route(
        method="POST",
        path="/loans/{loan_id}/what-if",
        handler=suppose_of_loan,
        summary="What would become of a loan if",
        tag="loans",
        answers={200: WhatIfShape},
        body=WhatIfBody,
        body_limits=OF_SCENARIOS,
        problems=(403, 409),
        writes=False,
    ),
)
