"""The shapes of what a server says on a socket: only described, as frames are made without them.

A test holds that real frames fit. What clients say is in `web/sockets/client_messages.py`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from domain.notifications.notification import PUBLIC_TYPES
from web.requests.fields import Id, Instant, ResponseShape

TypeName = Annotated[str, WithJsonSchema({"type": "string", "enum": sorted(PUBLIC_TYPES)})]
Amount = Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?$")]


class Place(ResponseShape):
    """A place in the change feed: `seq` is dense in `epoch`; a restore begins another one."""

    epoch: Id
    seq: int


class Welcome(ResponseShape):
    """The first message: whose notifications these are, from where on, and until when."""

    type: Literal["welcome"]
    connection_id: Id
    user_id: Id
    position: Place
    heartbeat_interval: float
    expires_at: Instant


class Authenticated(ResponseShape):
    """The newer token was taken: the socket lives until `expires_at`."""

    type: Literal["authenticated"]
    expires_at: Instant
    ref: str | None = None


class Subscribed(ResponseShape):
    """What is heard from now on; with `since`, whether all that was missed has been told."""

    type: Literal["subscribed"]
    notification_types: list[TypeName]
    topics: list[str] | None
    recovered: bool | None = None
    from_: Place | None = Field(default=None, alias="from")
    to: Place | None = None
    ref: str | None = None


class Unsubscribed(ResponseShape):
    """What is still heard."""

    type: Literal["unsubscribed"]
    notification_types: list[TypeName]
    topics: list[str] | None
    ref: str | None = None


class Pong(ResponseShape):
    """Somebody is there."""

    type: Literal["pong"]
    ref: str | None = None


class WrongField(ResponseShape):
    """One wrong field: `pointer` is a JSON pointer into the message."""

    pointer: str
    code: str
    detail: str


class Error(ResponseShape):
    """What could not be done with a message; the socket stays open unless a close follows."""

    type: Literal["error"]
    code: str
    detail: str
    ref: str | None = None
    errors: list[WrongField] | None = None


class Heartbeat(ResponseShape):
    """The server is there, and this is how far the feed is."""

    type: Literal["heartbeat"]
    timestamp: Instant
    seq: int


class _Notification(ResponseShape):
    id: int
    timestamp: Instant


class StatusChangeData(ResponseShape):
    """Of which loan the status has changed, by whom."""

    loan_id: Id
    number: str
    old_status: str
    new_status: str
    version: int
    by: Id


class LoanStatusChange(_Notification):
    """A loan is where it was not before."""

    type: Literal["loan_status_change"]
    data: StatusChangeData


class ApplicationData(ResponseShape):
    """What was applied for, for whom, by whom."""

    loan_id: Id
    number: str
    customer_id: Id
    branch_id: Id | None
    principal: Amount
    currency: str
    instalments: int
    status: str
    version: int
    by: Id


class NewApplication(_Notification):
    """Somebody has applied for a loan."""

    type: Literal["new_application"]
    data: ApplicationData


class PaymentData(ResponseShape):
    """What came in, or with `reversed` was undone, and what is still to be paid."""

    payment_id: Id
    loan_id: Id
    number: str
    type: Literal["payment", "recovery"]
    amount: Amount
    currency: str
    value_date: str
    outstanding_after: Amount
    reversed: bool
    status: Literal["posted", "reversed", "suspense"]
    version: int
    by: Id


class PaymentTold(_Notification):
    """Money has come in, or a payment was undone."""

    type: Literal["payment_recorded"]
    data: PaymentData


class CommentData(ResponseShape):
    """Who said what about which loan."""

    comment_id: Id
    loan_id: Id
    author_id: Id
    body: str


class CommentAdded(_Notification):
    """Somebody has commented on a loan."""

    type: Literal["comment_added"]
    data: CommentData


class OpenData(BaseModel):
    """What there is to tell, in fields that a later release may add to."""

    model_config = ConfigDict(extra="allow")


class SyncStatus(_Notification):
    """How far this node and its head office agree."""

    type: Literal["sync_status"]
    data: OpenData


class SystemMaintenance(_Notification):
    """What the operators have to say."""

    type: Literal["system_maintenance"]
    data: OpenData


TOLD: tuple[type[ResponseShape], ...] = (
    Welcome,
    Authenticated,
    Subscribed,
    Unsubscribed,
    Pong,
    Error,
    Heartbeat,
    LoanStatusChange,
    NewApplication,
    PaymentTold,
    CommentAdded,
    SyncStatus,
    SystemMaintenance,
)
