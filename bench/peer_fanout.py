"""The peer of the fan-out: FastAPI on uvicorn, a dictionary of sockets, no database.

Written as most would write it: POST /say sends one comment to everybody, one socket after another.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()
sockets: dict[int, WebSocket] = {}
numbers, entries = count(), count(1)


@app.post("/say", status_code=201)
async def say(body: dict[str, Any]) -> dict[str, int]:
    """Tell everybody."""
    entry = next(entries)
    message = {
        "type": "comment_added",
        "id": entry,
        "timestamp": datetime.now(UTC).isoformat(),
        "data": body,
    }
    for socket in list(sockets.values()):
        await socket.send_json(message)
    return {"id": entry}


@app.websocket("/listen")
async def listen(socket: WebSocket) -> None:
    """Take one socket in, until it leaves."""
    await socket.accept()
    number = next(numbers)
    sockets[number] = socket
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        pass
    finally:
        del sockets[number]
