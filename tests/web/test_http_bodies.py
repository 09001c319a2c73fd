"""No body ever makes the server fail: it is unparsable, of a wrong type, or has wrong fields."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain.commands.loans import AddComment, DisburseLoan, RecordPayment, SubmitLoan
from domain.loan.decision import Committed
from tests.web.standins import COMMENT, LOAN, LOAN_ID, OTHER_USER_ID, PAYMENT, House
from web.requests.faults import _CODES
from web.requests.parsing import ORDINARY

PAYMENT_BODY = {"loan_id": str(LOAN_ID), "amount": "111.37"}
LOAN_BODY: dict[str, Any] = {
    "customer_id": str(OTHER_USER_ID),
    "principal": "1250.00",
    "currency": "EUR",
    "annual_rate_percent": "12.5",
    "instalments": 12,
    "frequency": {"every": 1, "unit": "MONTHS"},
}


@pytest.fixture(autouse=True)
def _answers(house: House) -> None:
    house.session.table = {
        RecordPayment: Committed(PAYMENT),
        SubmitLoan: Committed(LOAN),
        DisburseLoan: Committed(LOAN),
        AddComment: Committed(COMMENT),
    }


async def post(client: Any, house: House, path: str, raw: bytes, **headers: str) -> Any:
    """Send bytes as they are; the answer's document under `.told`."""
    sent = {**house.bearer, "Content-Type": "application/json"}
    sent.update({name.replace("_", "-"): value for name, value in headers.items()})
    response = await client.post(path, data=raw, headers=sent)
    response.told = json.loads(await response.get_data() or b"null")
    return response


UNPARSABLE = {
    "nothing": b"",
    "blanks": b"  ",
    "a word": b"hello",
    "half an object": b'{"amount":',
    "NaN": b'{"amount": NaN}',
    "1e999": b'{"amount": 1e999}',
    "a name twice": b'{"amount": "1", "amount": "2"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "invalid UTF-8": b'{"reference": "\xff"}',
    "a lone surrogate": b'{"reference": "\\ud800"}',
    "NUL": b'{"reference": "\\u0000"}',
    "5,000 digits": b'{"amount": ' + b"9" * 5000 + b"}",
    "a deep nest": b'{"a":' * 3_000,
}


@pytest.mark.parametrize("raw", UNPARSABLE.values(), ids=UNPARSABLE.keys())
async def test_what_cannot_be_parsed_is_400(client: Any, house: House, raw: bytes) -> None:
    response = await post(client, house, "/payments/", raw)
    assert response.status_code == 400
    assert response.told["code"] == "not_json"
    assert not house.session.asked


NO_OBJECTS = [b"[]", b"null", b"true", b"1", b'"text"', b"[{}]"]


@pytest.mark.parametrize("raw", NO_OBJECTS)
async def test_what_is_no_object_is_422(client: Any, house: House, raw: bytes) -> None:
    response = await post(client, house, "/payments/", raw)
    assert response.status_code == 422
    assert response.told["errors"] == [
        {"pointer": "", "code": "wrong_type", "detail": "must be an object"}
    ]


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/xml",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
    ],
)
async def test_another_content_type_is_415(client: Any, house: House, content_type: str) -> None:
    raw = json.dumps(PAYMENT_BODY).encode()
    response = await post(client, house, "/payments/", raw, Content_Type=content_type)
    assert response.status_code == 415


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
async def test_a_compressed_body_is_415(client: Any, house: House, encoding: str) -> None:
    response = await post(client, house, "/payments/", b"{}", Content_Encoding=encoding)
    assert response.status_code == 415


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", 'application/json; charset="UTF-8"'],
)
async def test_json_is_taken_however_its_type_is_spelt(
    client: Any, house: House, content_type: str
) -> None:
    raw = json.dumps(PAYMENT_BODY).encode()
    response = await post(client, house, "/payments/", raw, Content_Type=content_type)
    assert response.status_code == 201


async def test_a_body_that_is_too_large_is_413(client: Any, house: House) -> None:
    raw = b'{"reference": "' + b"x" * ORDINARY.bytes_max + b'"}'
    response = await post(client, house, "/payments/", raw)
    assert response.status_code == 413
    assert response.told["code"] == "too_large"


async def test_a_stranger_gets_less_room(client: Any, house: House) -> None:
    raw = json.dumps({"email": "a@b", "password": "x" * 20_000}).encode()
    response = await post(client, house, "/auth/login", raw)
    assert response.status_code == 413


WRONG_FIELDS: list[tuple[str, Any, str]] = [
    ("customer_id", 7, "bad_uuid"),
    ("customer_id", "x", "bad_uuid"),
    ("customer_id", "{00000000-0000-7000-8000-000000000002}", "bad_uuid"),
    ("customer_id", "0" * 32, "bad_uuid"),
    ("currency", "XXX", "unknown_currency"),
    ("currency", "eur", "bad_value"),
    ("currency", 978, "wrong_type"),
    ("annual_rate_percent", 12.5, "bad_rate"),
    ("annual_rate_percent", "-1", "bad_rate"),
    ("annual_rate_percent", "1e2", "bad_rate"),
    ("annual_rate_percent", "٢", "bad_rate"),
    ("instalments", "12", "wrong_type"),
    ("instalments", True, "wrong_type"),
    ("instalments", 12.0, "wrong_type"),
    ("instalments", 0, "out_of_range"),
    ("instalments", 2**63, "out_of_range"),
    ("instalments", 2**63 + 1, "out_of_range"),
    ("instalments", -(2**70), "out_of_range"),
    ("instalments", None, "required"),
    ("frequency", "MONTHS", "wrong_type"),
    ("frequency", {"every": 1, "unit": "FORTNIGHTS"}, "not_one_of"),
    ("frequency", {"every": 1}, "required"),
    ("frequency", {"every": 1, "unit": "DAYS", "on": 1}, "unknown_field"),
    ("interest_method", "flat", "not_one_of"),
    ("interest_method", 1, "not_one_of"),
    ("start_date", "2026-02-30", "bad_date"),
    ("start_date", "2026-2-3", "bad_date"),
    ("start_date", "20260203", "bad_date"),
    ("start_date", "2026-02-03T00:00:00Z", "bad_date"),
    ("start_date", 0, "bad_date"),
    ("start_date", "2026-02-0٣", "bad_date"),
    ("start_date", "2026-W05-1", "bad_date"),
    ("start_date", "9999-12-31", "out_of_range"),
    ("first_due_date", "0001-01-01", "out_of_range"),
    ("purpose", "", "too_short"),
    ("purpose", "   ", "blank"),
    ("purpose", "\u200b\u2060\ufeff", "blank"),
    ("purpose", "\u3164 \u00ad", "blank"),
    ("purpose", "x" * 2001, "too_long"),
    ("purpose", 5, "wrong_type"),
    ("status", "approved", "unknown_field"),
    ("created_at", "now", "unknown_field"),
    ("version", 1, "unknown_field"),
    ("a/b~c", 1, "unknown_field"),
]


@pytest.mark.parametrize(("name", "value", "code"), WRONG_FIELDS, ids=str)
async def test_a_wrong_field_is_422_with_its_pointer(
    client: Any, house: House, name: str, value: object, code: str
) -> None:
    raw = json.dumps({**LOAN_BODY, name: value}).encode()
    response = await post(client, house, "/loans/", raw)
    assert response.status_code == 422
    faults = [one for one in response.told["errors"] if one["code"] == code]
    assert len(faults) == 1
    pointer = "/" + name.replace("~", "~0").replace("/", "~1")
    assert faults[0]["pointer"].startswith(pointer)
    assert not house.session.asked


ALLOWED: list[tuple[str, Any, str]] = [
    ("interest_method", "flat", "must be 'DECLINING_BALANCE' or 'FLAT'"),
    ("frequency", {"every": 1, "unit": "FORTNIGHTS"}, "'MONTHS'"),
    ("instalment_rounding", "UP", "must be 'HALF_EVEN' or 'CEILING'"),
    ("allocation_order", ["LATER_FEE"], "'PAST_DUE_PENALTY'"),
    ("instalments", 0, "must be 1 or more"),
    ("instalments", 10**9, " or less"),
    ("start_date", "9999-12-31", "in the years 2 to 9000"),
]


@pytest.mark.parametrize(("name", "value", "allowed"), ALLOWED, ids=str)
async def test_a_value_out_of_what_is_allowed_is_told_what_is(
    client: Any, house: House, name: str, value: object, allowed: str
) -> None:
    raw = json.dumps({**LOAN_BODY, name: value}).encode()
    response = await post(client, house, "/loans/", raw)
    assert response.status_code == 422
    (fault,) = response.told["errors"]
    assert fault["code"] in {"not_one_of", "out_of_range"}
    assert allowed in fault["detail"]


@pytest.mark.parametrize(("kind", "told"), sorted(_CODES.items()))
def test_no_fault_of_a_range_or_a_choice_leaves_open_what_is_allowed(
    kind: str, told: tuple[str, str]
) -> None:
    code, detail = told
    if code in {"not_one_of", "out_of_range"} and kind != "int_parsing_size":
        assert "{" in detail


@pytest.mark.parametrize(
    "instant", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-02-30T00:00:00Z"]
)
async def test_an_instant_that_utc_has_not_is_422(client: Any, house: House, instant: str) -> None:
    raw = json.dumps({"message": "a new release", "ends_at": instant}).encode()
    response = await post(client, house, "/notifications/maintenance", raw)
    assert response.status_code == 422
    assert [(one["pointer"], one["code"]) for one in response.told["errors"]] == [
        ("/ends_at", "bad_instant")
    ]


async def test_all_faults_are_told_at_once(client: Any, house: House) -> None:
    body = {"principal": 5, "instalments": "x", "frequency": {"unit": 1}, "role": "admin"}
    response = await post(client, house, "/loans/", json.dumps(body).encode())
    assert {(one["pointer"], one["code"]) for one in response.told["errors"]} == {
        ("/customer_id", "required"),
        ("/principal", "bad_amount"),
        ("/annual_rate_percent", "required"),
        ("/instalments", "wrong_type"),
        ("/frequency/every", "required"),
        ("/frequency/unit", "not_one_of"),
        ("/role", "unknown_field"),
    }


async def test_hundreds_of_faults_are_told_in_part(client: Any, house: House) -> None:
    raw = json.dumps({f"field {number}": 1 for number in range(400)}).encode()
    response = await post(client, house, "/loans/", raw)
    assert response.status_code == 422
    assert len(response.told["errors"]) == 100


SECRETS = ["role", "is_admin", "balance", "approved_by", "password_hash", "user_id", "created_at"]


@pytest.mark.parametrize("name", SECRETS)
async def test_nothing_is_assigned_that_is_not_offered(
    client: Any, house: House, name: str
) -> None:
    raw = json.dumps({**PAYMENT_BODY, name: "x"}).encode()
    response = await post(client, house, "/payments/", raw)
    assert response.status_code == 422
    assert response.told["errors"][0]["code"] == "unknown_field"


async def test_a_refused_value_is_not_repeated(client: Any, house: House) -> None:
    body = {"email": "a@b", "password": 424242, "token": "hunter2"}
    response = await post(client, house, "/auth/login", json.dumps(body).encode())
    assert response.status_code == 422
    assert "424242" not in json.dumps(response.told)
    assert "hunter2" not in json.dumps(response.told)


@pytest.mark.parametrize("text", ["\u202eevil", "😀", "a\tb", "line\nline", "<script>"])
async def test_text_is_kept_exactly(client: Any, house: House, text: str) -> None:
    raw = json.dumps({"body": text}).encode()
    response = await post(client, house, f"/loans/{LOAN_ID}/comments", raw)
    assert response.status_code == 201
    assert house.session.last.body == text


@pytest.mark.parametrize("raw", [b"", b"{}"])
@pytest.mark.parametrize("content_type", ["", "application/json", "text/plain"])
async def test_a_command_without_fields_needs_no_body(
    client: Any, house: House, raw: bytes, content_type: str
) -> None:
    path = f"/loans/{LOAN_ID}/disburse"
    response = await post(client, house, path, raw, Content_Type=content_type)
    typed = content_type == "application/json"
    assert response.status_code == (200 if typed or not raw else 415)
