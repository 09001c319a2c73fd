"""The AsyncAPI document tells of every message and every close code, and real frames fit it."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema  # type: ignore[import-untyped] # it comes without types
import pytest

from actors.ports.close_codes import CloseCode
from domain.decisions.servicing import pay
from domain.identifiers import CommentId, LoanId
from domain.notifications.notification import PUBLIC_TYPES, Audience, FeedEntry, Notice
from domain.notifications.rules import comment_notice, notices
from domain.queries import ReadLoan
from tests.domain.lending_scenes import (
    BRANCH,
    CUSTOMER,
    LOAN,
    OFFICER,
    TELLER,
    active,
    active_history,
    approved,
    context,
    decided,
    payment,
    submitted,
)
from tests.web.standins import LOAN as LOAN_VIEW
from tests.web.standins import LOAN_ID, NOW, House, an_id
from tests.web.test_ws_conversation import BAD_MESSAGES
from tests.web.ws_server import POSITION, hear, serving
from web.app import create_app
from web.asyncapi import asyncapi_document
from web.sockets.answers import heard, position_document
from web.sockets.client_messages import CLOSE_MEANINGS, SAID
from web.sockets.encoding import encode_notification

DOCUMENT: dict[str, Any] = json.loads(json.dumps(asyncapi_document(House().options), default=str))
SPOKEN_OF = {1000, 1001, 1009, 1012, 4401, 4403, 4408, 4409, 4429, 4503}


def resolve(reference: str) -> Any:
    found: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def fits(message: dict[str, Any], direction: str) -> None:
    """Hold a message against the schema that the document has for its type."""
    reference = {"$ref": f"#/channels/socket/messages/{message['type']}"}
    assert reference in DOCUMENT["operations"][direction]["messages"]
    payload = resolve(f"#/components/messages/{message['type']}")["payload"]
    whole = {**payload, "components": DOCUMENT["components"]}
    plain = json.loads(json.dumps(message, default=str))
    jsonschema.Draft202012Validator(whole).validate(plain)


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [one for value in part.values() for one in references(value)]
    return [one for value in part for one in references(value)] if isinstance(part, list) else []


def test_it_is_an_asyncapi_document_whose_references_lead_somewhere() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    assert DOCUMENT["channels"]["socket"]["address"] == "/ws/connect/{user_id}"
    assert {one["action"] for one in DOCUMENT["operations"].values()} == {"receive", "send"}
    found = references(DOCUMENT)
    assert found
    for reference in found:
        resolve(reference)
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_message_and_every_close_code_is_told_of() -> None:
    told = {one["$ref"].rpartition("/")[2] for one in DOCUMENT["operations"]["tell"]["messages"]}
    answers = {"welcome", "authenticated", "subscribed", "unsubscribed", "pong", "error"}
    assert told == answers | set(PUBLIC_TYPES)
    said = {one["$ref"].rpartition("/")[2] for one in DOCUMENT["operations"]["hear"]["messages"]}
    assert said == set(SAID)
    codes = {row["code"]: row["meaning"] for row in DOCUMENT["x-close-codes"]}
    assert codes.keys() >= SPOKEN_OF
    assert codes.keys() == {int(code) for code in CloseCode}
    assert all(codes.values())
    assert CLOSE_MEANINGS.keys() == set(CloseCode)


def every_notice() -> list[Notice]:
    loan = active()
    paid = decided(pay(loan.loan, payment("100.00"), context(TELLER), active_history()))
    return [
        *notices(submitted().events[0], None, submitted()),
        *notices(approved().events[0], submitted().loan, approved()),
        *notices(paid.events[0], loan.loan, paid),
        comment_notice(
            LOAN,
            Audience(BRANCH, CUSTOMER),
            comment_id=CommentId(an_id(1)),
            author_id=OFFICER.user_id,
            body="sound",
        ),
    ]


@pytest.mark.parametrize("notice", every_notice(), ids=lambda one: str(one.type))
def test_real_notifications_fit(notice: Notice) -> None:
    frame = encode_notification(FeedEntry(7, NOW, notice))
    fits(json.loads(frame[frame.index(b"{") :]), "tell")


def test_the_answer_to_who_resumes_fits() -> None:
    place = position_document(POSITION)
    told = heard("subscribed", PUBLIC_TYPES, frozenset({LoanId(LOAN_ID)}))
    fits({**told, "recovered": True, "from": place, "to": place, "ref": "r"}, "tell")
    since = {"epoch": str(POSITION.epoch), "seq": 41}
    fits({"type": "subscribe", "notification_types": [], "since": since}, "hear")


async def test_what_is_really_said_and_answered_fits() -> None:
    async with serving(ws_heartbeat_interval_s=0.05) as server, server.signed_in() as socket:
        server.house.session.table[ReadLoan] = LOAN_VIEW
        fits(await hear(socket), "tell")
        for said in (
            {"type": "ping", "ref": "1"},
            {"type": "authenticate", "token": server.house.token()},
            {
                "type": "subscribe",
                "notification_types": sorted(PUBLIC_TYPES),
                "topics": [f"loan:{LOAN_ID}"],
            },
            {"type": "unsubscribe", "notification_types": ["comment_added"]},
        ):
            fits(said, "hear")
            await socket.send_text(json.dumps(said))
        came: set[str] = set()
        while not came >= {"pong", "authenticated", "subscribed", "unsubscribed", "heartbeat"}:
            message = await hear(socket)
            fits(message, "tell")
            came.add(message["type"])


@pytest.mark.parametrize(("text", "code"), BAD_MESSAGES, ids=lambda one: str(one)[:40])
async def test_errors_fit_and_what_is_refused_does_not(text: str, code: str) -> None:
    async with serving() as server, server.signed_in() as socket:
        await hear(socket)
        await socket.send_text(text)
        fits(await hear(socket), "tell")
    if code == "invalid_fields":
        with pytest.raises(jsonschema.ValidationError):
            fits(json.loads(text), "hear")


async def test_the_document_and_its_page_are_served_and_load_nothing_from_elsewhere(
    client: Any,
) -> None:
    answer = await client.get("/asyncapi.json")
    assert answer.status_code == 200
    assert (await answer.get_json())["channels"] == DOCUMENT["channels"]
    page = await client.get("/asyncapi")
    text = (await page.get_data()).decode()
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert "http" not in re.sub(r"json-schema\.org\S*", "", text)
    assert "<script" not in text
    for code in SPOKEN_OF:
        assert f"<td>{code}</td>" in text
    for name in DOCUMENT["components"]["messages"]:
        assert f"<h3 id='{name}'>" in text
        assert f"<a href='#{name}'>" in text, "U10: the page has contents"
    (icon,) = re.findall(r'<link rel="icon"[^>]* href="([^"]+)"', text)
    assert (await client.get(icon)).status_code == 200
    style = await client.get("/docs/asyncapi.css")
    assert (style.status_code, style.headers["Content-Type"]) == (200, "text/css; charset=utf-8")


async def test_the_document_can_be_closed() -> None:
    client = create_app(House(docs_enabled=False).doors).test_client()
    for path in ("/asyncapi", "/asyncapi.json", "/docs/asyncapi.css"):
        assert (await client.get(path)).status_code == 404
