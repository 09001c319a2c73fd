"""The faults of the library, each shown to be contained; `--stock-edge` shows them as they are."""

import pytest
import trio
from wsproto.events import BytesMessage

from tests.web.edge.edge_process import running
from tests.web.edge.edge_servers import edge
from tests.web.edge.edge_wire import upgrade, websocket_to, wire
from web.edge.limits import EdgeLimits

# A process that is to end soon.
HURRIED = {
    "drain_s": 0.5,
    "drain_sockets_s": 0.1,
    "send_grace_s": 3_600.0,
    "close_timeout_s": 0.1,
    "linger_s": 0.1,
}


async def test_f1_a_byte_after_an_upgrade_ends_its_connection_only(server_kind: str) -> None:
    async with running(server_kind) as server:
        for _ in range(3):
            async with wire(server.port) as attacker:
                await attacker.send(upgrade("/ws/echo") + b"x")
                await attacker.rest()
        async with wire(server.port) as client:
            assert (await client.get("/hello")).body == b"hello"
        assert server.is_alive


async def test_f1_any_error_of_a_connection_is_logged_and_contained(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with edge() as server, wire(server.port) as bystander:
        assert (await bystander.get("/hello")).status == 200

        async def fail(*_: object) -> None:
            raise ZeroDivisionError("not an OSError")

        with monkeypatch.context() as patch:
            patch.setattr("web.edge.protocol.GuardedH11._create_stream", fail)
            async with wire(server.port) as victim:
                await victim.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert await victim.rest() == b""
        assert (await bystander.get("/hello")).status == 200
    assert "ZeroDivisionError" in caplog.text


async def test_f2_a_reader_that_stops_is_cut(server_kind: str) -> None:
    limits = {"send_grace_s": 0.2, "send_rate_bytes_per_s_min": 10_000_000}
    async with running(server_kind, **limits) as server:
        async with wire(server.port, receive_bytes=4_096) as client:
            await client.send(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            await server.reached("sending")
            await server.reached("sent")


async def test_f3_sigterm_ends_the_process_while_a_reader_has_stopped(server_kind: str) -> None:
    async with running(server_kind, **HURRIED) as server:
        async with wire(server.port, receive_bytes=4_096) as client:
            await client.send(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            assert await client.stream.receive_some(1)
            assert await server.end() == 0


async def test_f4_an_oversized_message_is_refused_before_it_is_buffered(server_kind: str) -> None:
    limits = {"message_bytes_max": 65_536, "linger_bytes_max": 1_000_000}
    async with running(server_kind, **limits) as server:
        async with websocket_to(server.port, "/ws/echo") as client:
            part = BytesMessage(data=bytes(500_000), message_finished=False)
            with pytest.raises(trio.BrokenResourceError):  # noqa: PT012 - one of many is refused
                for _ in range(120):
                    await client.send(part)


async def test_f4_and_its_sender_is_told_1009() -> None:
    async with edge(EdgeLimits(message_bytes_max=1_000)) as server:
        async with websocket_to(server.port, "/ws/echo") as client:
            await client.send_text("x" * 1_000)
            assert len(await client.message()) == 1_000
            await client.send_text("x" * 1_001)
            assert await client.close_code() == 1009


async def test_f4_text_is_measured_in_bytes() -> None:
    async with edge(EdgeLimits(message_bytes_max=1_000)) as server:
        async with websocket_to(server.port, "/ws/echo") as client:
            await client.send_text("é" * 501)
            assert await client.close_code() == 1009


async def test_f5_deflate_is_never_negotiated(server_kind: str) -> None:
    async with running(server_kind) as server:
        offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
        async with websocket_to(server.port, "/ws/echo", offer) as client:
            assert b"deflate" not in client.head.lower()


async def test_f5_a_frame_that_claims_to_be_deflated_is_a_violation() -> None:
    async with edge() as server:
        async with websocket_to(server.port, "/ws/echo") as client:
            await client.raw.send(bytes([0xC1, 0x80, 0, 0, 0, 0]))
            assert await client.close_code() == 1002


async def test_f7_a_disconnect_is_seen_behind_unread_messages(server_kind: str) -> None:
    async with running(server_kind) as server:
        async with websocket_to(server.port, "/ws/deaf") as client:
            for number in range(30):
                await client.send_text(str(number))
        await server.reached("cancelled")


async def test_f8_an_error_in_cleanup_is_logged(server_kind: str) -> None:
    async with running(server_kind, **HURRIED) as server:
        async with wire(server.port) as client:
            await client.send(b"GET /untidy HTTP/1.1\r\nHost: x\r\n\r\n")
            await server.reached("waiting")
        await server.reached("failing")
        await server.end()
        assert "cleanup went wrong" in server.log()


async def test_f10_sockets_are_told_of_a_restart(server_kind: str) -> None:
    async with running(server_kind, **HURRIED) as server:
        async with websocket_to(server.port, "/ws/echo") as client:
            server.process.terminate()
            assert await client.close_code() == 1012


async def test_f10_an_empty_binary_frame_is_empty_bytes(server_kind: str) -> None:
    async with running(server_kind) as server:
        async with websocket_to(server.port, "/ws/echo") as client:
            await client.send_bytes(b"")
            assert await client.message() == b""


PRIOR_KNOWLEDGE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
H2C = (
    b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
)


@pytest.mark.parametrize("opening", [PRIOR_KNOWLEDGE, H2C], ids=["prior knowledge", "upgrade"])
async def test_f10_cleartext_http_2_is_refused(server_kind: str, opening: bytes) -> None:
    async with running(server_kind) as server, wire(server.port) as client:
        await client.send(opening)
        assert (await client.until(b"\r\n")).startswith(b"HTTP/1.1 400 ")
        await client.rest()
