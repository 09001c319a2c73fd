"""Signs in at a running Lendwire and prints what it tells, one notification a line.

    .venv/bin/python docs/listen.py http://127.0.0.1:8000 EMAIL PASSWORD

An example of a client, and no part of the server. It does not resume after a break.
"""

# ruff: noqa: INP001 - a script
from __future__ import annotations

import json
import socket
import sys
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from wsproto import ConnectionType, WSConnection
from wsproto.events import CloseConnection, Ping, RejectConnection, TextMessage
from wsproto.events import Request as Upgrade


def sign_in(url: str, email: str, password: str) -> tuple[str, str]:
    """Return who we are (the user's id) and an access token."""
    body = json.dumps({"email": email, "password": password}).encode()
    request = Request(f"{url}/auth/login", body, {"Content-Type": "application/json"})  # noqa: S310
    with urlopen(request) as answer:  # noqa: S310 - the address is the caller's own choice
        granted = json.load(answer)
    return granted["user"]["id"], granted["access_token"]


def listen(url: str, user_id: str, token: str) -> str:
    """Print each message; return why the server ended the connection."""
    place = urlsplit(url)
    address = (place.hostname or "127.0.0.1", place.port or 80)
    websocket = WSConnection(ConnectionType.CLIENT)
    upgrade = Upgrade(
        host=f"{address[0]}:{address[1]}",
        target=f"/ws/connect/{user_id}",
        extra_headers=[(b"Authorization", f"Bearer {token}".encode())],
    )
    text = ""
    with socket.create_connection(address) as connection:
        connection.sendall(websocket.send(upgrade))
        while received := connection.recv(65536):
            websocket.receive_data(received)
            for event in websocket.events():
                match event:
                    case TextMessage():
                        text += event.data
                        if event.message_finished:
                            say(text)
                            text = ""
                    case Ping():
                        connection.sendall(websocket.send(event.response()))
                    case CloseConnection():
                        connection.sendall(websocket.send(event.response()))
                        return f"closed with {event.code}: {event.reason or 'no reason given'}"
                    case RejectConnection():
                        return f"refused with {event.status_code}"
    return "the connection was lost"


def say(text: str) -> None:
    """Print a message at once, also into a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> str:
    """Listen until the server or Ctrl-C ends it; return why it ended."""
    match arguments:
        case [url, email, password]:
            try:
                return listen(url, *sign_in(url, email, password))
            except HTTPError as refused:
                return f"{url} refused the sign-in: {json.load(refused).get('detail', refused)}"
            except OSError as error:
                return f"{url} cannot be used: {error}"
            except KeyboardInterrupt:
                return "ended"
        case _:
            return "usage: listen.py URL EMAIL PASSWORD"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
