"""One request and its response: hypercorn's stream, corked, and cancelled with its peer."""

from collections.abc import Awaitable, Callable
from typing import cast

import trio
from hypercorn.protocol.events import Event, Request, StreamClosed
from hypercorn.protocol.http_stream import ASGIHTTPState, HTTPStream
from hypercorn.typing import ASGISendEvent

from web.edge.app_task import Inbox


class GuardedHTTPStream(HTTPStream):
    """A response waits in the cork for its end, or for a body message that more will follow."""

    flush: Callable[[], Awaitable[None]]
    inbox: Inbox | None = None

    async def handle(self, event: Event) -> None:
        """Take an event of the request; the peer's end cancels an unfinished one."""
        if isinstance(event, StreamClosed) and not self.closed:
            self.closed = True
            if self.inbox is not None:
                self.inbox.close(cancel=self.state is not ASGIHTTPState.CLOSED)
            return
        await super().handle(event)
        if isinstance(event, Request):
            self.inbox = cast("Inbox", self.app_put)

    async def app_send(self, message: ASGISendEvent | None) -> None:
        """Take a message of the response; whatever comes after the end is dropped."""
        if self.closed:
            return
        await super().app_send(message)
        if (
            message is not None
            and message["type"] == "http.response.body"
            and message.get("more_body")
        ):
            await self.flush()
            # A generator that never waits must not keep the loop from everyone else.
            await trio.lowlevel.cancel_shielded_checkpoint()
