"""Signing in and out, and one's own sessions."""

from __future__ import annotations

from typing import Final

from actors.messages.gatekeeper import Grant, Refresh, SignIn
from domain.commands.loans import EndSession
from domain.identifiers import SessionId
from domain.queries import ListMySessions
from domain.rejections import AccessRefusal
from web.api.users.routes import read_myself
from web.api.users.shapes import (
    LoginBody,
    RefreshBody,
    SessionList,
    TokenPair,
    User,
    render_grant,
    render_session,
)
from web.requests.fields import NoFields
from web.responses.problems import Problem
from web.responses.replies import NOTHING, Outcome, Reply
from web.routing.call import Call
from web.routing.route import Door, Route

USER_AGENT_CHARS_MAX: Final = 400

# An OAuth 2 client sends more than it needs to; "" is taken and left out.
_FORM: Final = {
    "username": "email",
    "grant_type": "",
    "scope": "",
    "client_id": "",
    "client_secret": "",
}


async def sign_in(call: Call) -> Outcome:
    """Open a session for whoever knows the password."""
    body = call.fields(LoginBody)
    agent = call.headers.get("user-agent")
    message = SignIn(
        body.email,
        body.password,
        call.address,
        None if agent is None else agent[:USER_AGENT_CHARS_MAX],
        call.request_id,
    )
    granted = await call.knock(message, Grant)
    return granted if isinstance(granted, Problem) else Reply(render_grant(granted))


async def refresh_tokens(call: Call) -> Outcome:
    """Exchange a refresh token for the next pair."""
    body = call.fields(RefreshBody)
    message = Refresh(body.refresh_token, call.address, call.request_id)
    granted = await call.knock(message, Grant)
    return granted if isinstance(granted, Problem) else Reply(render_grant(granted))


async def sign_out(call: Call) -> Outcome:
    """End the session that asks; ended already is as good."""
    ended = await call.carry_out(EndSession(None), type(None))
    if isinstance(ended, Problem) and ended.code != AccessRefusal.NOT_SIGNED_IN:
        return ended
    return NOTHING


async def list_my_sessions(call: Call) -> Outcome:
    """One's own sign-ins."""
    sessions = await call.ask(ListMySessions(), tuple)
    if isinstance(sessions, Problem):
        return sessions
    current = call.signed_in.session_id
    items = [render_session(session, current) for session in sessions]
    return Reply({"items": items, "next_cursor": None})


async def end_session(call: Call) -> Outcome:
    """End one of one's own sign-ins."""
    command = EndSession(SessionId(call.ids["session_id"]))
    ended = await call.carry_out(command, type(None))
    return ended if isinstance(ended, Problem) else NOTHING


AUTH: Final = (
    Route(
        method="POST",
        path="/auth/login",
        handler=sign_in,
        summary="Sign in",
        tag="auth",
        answers={200: TokenPair},
        door=Door.SIGN_IN,
        body=LoginBody,
        form_names=_FORM,
        problems=(401,),
    ),
    Route(
        method="POST",
        path="/auth/refresh",
        handler=refresh_tokens,
        summary="Exchange a refresh token",
        tag="auth",
        answers={200: TokenPair},
        door=Door.REFRESH,
        body=RefreshBody,
        problems=(401,),
    ),
    Route(
        method="POST",
        path="/auth/logout",
        handler=sign_out,
        summary="Sign out",
        tag="auth",
        answers={204: None},
        body=NoFields,
    ),
    Route(
        method="GET",
        path="/auth/me",
        handler=read_myself,
        summary="Who is signed in",
        tag="auth",
        answers={200: User},
        tagged=True,
    ),
    Route(
        method="GET",
        path="/auth/sessions",
        handler=list_my_sessions,
        summary="One's own sign-ins",
        tag="auth",
        answers={200: SessionList},
    ),
    Route(
        method="DELETE",
        path="/auth/sessions/{session_id}",
        handler=end_session,
        summary="End one of one's own sign-ins",
        tag="auth",
        answers={204: None},
        body=NoFields,
    ),
)
