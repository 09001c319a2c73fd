"""The end of a connection without a reset: what was said is read by the peer before we are gone.

Closing while bytes of the peer lie unread makes the kernel send a reset, which may overtake the
answer. So whoever closes first says that nothing follows, and reads on for a moment.
"""

import trio

from web.edge.refusals import Refusal, answer
from web.edge.stream import GuardedStream

RECEIVE_BYTES_MAX = 65_536


async def turn_away(guarded: GuardedStream, refusal: Refusal) -> None:
    """Answer a connection without serving it, and close it once its peer has left."""
    try:
        say_no(guarded, refusal)
        await read_out(guarded)
    finally:
        guarded.close()


def say_no(guarded: GuardedStream, refusal: Refusal) -> None:
    """Write the answer and say that nothing follows; never waits."""
    guarded.write_nowait(answer(refusal, retry_after_s=guarded.limits.retry_after_s))
    guarded.shut_down_sending()


async def read_out(guarded: GuardedStream) -> None:
    """Read what the peer still sends, until it closes, for `linger_s` at most."""
    read_bytes = 0
    with trio.move_on_after(guarded.limits.linger_s):
        while read_bytes <= guarded.limits.linger_bytes_max:
            try:
                data = await guarded.receive_some(RECEIVE_BYTES_MAX)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return
            if not data:
                return
            read_bytes += len(data)
