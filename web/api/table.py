"""The table of routes, joined from the folders of the resources."""

from typing import Final

from web.api.announcements.routes import ANNOUNCEMENTS
from web.api.auth.routes import AUTH
from web.api.comments.routes import COMMENTS
from web.api.dashboard.routes import DASHBOARD
from web.api.docs.routes import DOCS
from web.api.events.routes import EVENTS
from web.api.ledger.routes import BOOKS
from web.api.loans.commands import LOAN_COMMANDS
from web.api.loans.routes import LOANS
from web.api.loans.servicing import WORKOUTS
from web.api.loans.statements import LOAN_STATEMENTS
from web.api.payments.routes import PAYMENTS
from web.api.products.routes import PRODUCTS
from web.api.realtime.routes import REALTIME
from web.api.supervision.event_stream import SUPERVISION_EVENTS
from web.api.supervision.routes import SUPERVISION
from web.api.sync.routes import SYNC
from web.api.system.routes import SYSTEM
from web.api.users.routes import USERS
from web.api.what_if.routes import WHAT_IF
from web.routing.route import Route

ROUTES: Final[tuple[Route, ...]] = (
    *SYSTEM,
    *AUTH,
    *USERS,
    *LOANS,
    *LOAN_STATEMENTS,
    *WHAT_IF,
    *LOAN_COMMANDS,
    *WORKOUTS,
    *PRODUCTS,
    *COMMENTS,
    *PAYMENTS,
    *BOOKS,
    *DASHBOARD,
    *SYNC,
    *REALTIME,
    *EVENTS,
    *ANNOUNCEMENTS,
    *SUPERVISION,
    *SUPERVISION_EVENTS,
    *DOCS,
)
