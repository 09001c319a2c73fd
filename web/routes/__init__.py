"""What each path does, one file a subject; together, the table of routes."""

from typing import Final

from web.routes.announcements import ANNOUNCEMENTS
from web.routes.auth import AUTH
from web.routes.books import BOOKS
from web.routes.comments import COMMENTS
from web.routes.dashboard import DASHBOARD
from web.routes.docs import DOCS
from web.routes.events import EVENTS
from web.routes.loan_commands import LOAN_COMMANDS
from web.routes.loan_statements import LOAN_STATEMENTS
from web.routes.loans import LOANS
from web.routes.payments import PAYMENTS
from web.routes.products import PRODUCTS
from web.routes.realtime import REALTIME
from web.routes.supervision import SUPERVISION
from web.routes.supervision_events import SUPERVISION_EVENTS
from web.routes.sync import SYNC
from web.routes.system import SYSTEM
from web.routes.users import USERS
from web.routes.what_if import WHAT_IF
from web.routes.workouts import WORKOUTS
from web.routing import Route

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
