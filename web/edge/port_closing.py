"""Closing the port at the end of a process, so that nobody who has reached it is reset.

A listening socket that is closed resets every connection that waits in its queue. So first the
kernel is told to let nobody new begin, then whoever waits is answered, and then it is closed. The
socket is one, however many processes hold it: its owner does this, for all of them.
"""

import contextlib
import ctypes
import errno
import socket
import struct
from collections.abc import Sequence

import trio

from web.edge.drain import Drain
from web.edge.edge_log import LOG
from web.edge.goodbye import turn_away
from web.edge.limits import EdgeLimits
from web.edge.refusals import GOING_DOWN
from web.edge.stream import GuardedStream

# The filter of Linux in its classic form: (code, jump if true, jump if not, operand).
_SO_ATTACH_FILTER = getattr(socket, "SO_ATTACH_FILTER", 26)
_LOAD_BYTE, _JUMP_IF_SET, _RETURN = 0x30, 0x45, 0x06
_FLAGS_AT, _SYN = 13, 0x02
_ALL, _NOTHING = 0xFFFF_FFFF, 0
_WITHOUT_SYN = (
    (_LOAD_BYTE, 0, 0, _FLAGS_AT),
    (_JUMP_IF_SET, 0, 1, _SYN),
    (_RETURN, 0, 0, _NOTHING),
    (_RETURN, 0, 0, _ALL),
)


async def close_port(sockets: Sequence[socket.socket], limits: EdgeLimits | None = None) -> None:
    """Answer whoever waits in the queues 503, and listen no more; takes about `settle_s`.

    Who comes meanwhile is refused by the kernel once the port is closed, having sent nothing. Other
    tasks and processes may go on accepting until then. The descriptors stay their owner's.
    """
    limits = limits or EdgeLimits()
    for bound in sockets:
        _let_nobody_begin(bound)
    async with trio.open_nursery() as answering:
        with trio.move_on_after(limits.settle_s):
            async with trio.open_nursery() as acceptors:
                for bound in sockets:
                    acceptors.start_soon(_empty, bound, limits, answering)
        for bound in sockets:
            _take_rest(bound, limits, answering)
            with contextlib.suppress(OSError):
                bound.shutdown(socket.SHUT_RDWR)


def is_listening(bound: socket.socket | trio.socket.SocketType) -> bool:
    """Whether the socket still listens: its owner may have ended that in another process."""
    try:
        return bool(bound.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False


def _let_nobody_begin(bound: socket.socket) -> None:
    """Have the kernel drop each SYN that comes; handshakes that have begun are finished.

    Where it cannot, a connection that begins in the last moment may still be reset.
    """
    steps = b"".join(struct.pack("HBBI", *step) for step in _WITHOUT_SYN)
    held = ctypes.create_string_buffer(steps)
    program = struct.pack("HL", len(_WITHOUT_SYN), ctypes.addressof(held))
    with contextlib.suppress(OSError):
        bound.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


async def _empty(bound: socket.socket, limits: EdgeLimits, answering: trio.Nursery) -> None:
    """Turn away everybody who waits and whose handshake is just coming to its end."""
    own = trio.socket.from_stdlib_socket(bound.dup())
    with own:
        while True:
            try:
                connection, _ = await own.accept()
            except OSError as error:
                if error.errno == errno.ECONNABORTED:
                    continue
                if not is_listening(bound):
                    return
                LOG.error("Accepting pauses at the end: %s", error.strerror)
                await trio.sleep(limits.accept_pause_s)
            else:
                _begin_to_turn_away(connection, limits, answering)


def _take_rest(bound: socket.socket, limits: EdgeLimits, answering: trio.Nursery) -> None:
    """Nothing may come between the last look into the queue and its end: this does not wait."""
    while True:
        try:
            connection, _ = bound.accept()
        except OSError:
            return
        connection.setblocking(False)  # noqa: FBT003 -- the call has no other form
        _begin_to_turn_away(trio.socket.from_stdlib_socket(connection), limits, answering)


def _begin_to_turn_away(
    connection: trio.socket.SocketType, limits: EdgeLimits, answering: trio.Nursery
) -> None:
    guarded = GuardedStream(trio.SocketStream(connection), limits, Drain())
    answering.start_soon(turn_away, guarded, GOING_DOWN)
