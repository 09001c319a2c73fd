"""The frame encoder against wsproto's parser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import Ping, TextMessage

from web.sockets.frames import frame_ping, frame_text


def read(frame: bytes) -> object:
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(frame)
    (event,) = client.events()
    return event


@given(st.text(max_size=300))
def test_a_text_frame_is_read_back_as_it_was(text: str) -> None:
    assert read(frame_text(text.encode())) == TextMessage(data=text)


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536, 200_000])
def test_every_form_of_the_length_is_understood(length: int) -> None:
    assert read(frame_text(b"x" * length)) == TextMessage(data="x" * length)


def test_a_ping_carries_its_payload_up_to_125_bytes() -> None:
    assert read(frame_ping(b"x" * 125)) == Ping(payload=b"x" * 125)
    with pytest.raises(ValueError, match="125"):
        frame_ping(b"x" * 126)
