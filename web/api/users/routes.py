"""Users: making, reading, changing and deactivating them."""

from __future__ import annotations

from typing import Final

from domain.access.account import Account
from domain.commands.loans import ChangePassword, CreateUser, DeactivateUser, UpdateUser
from domain.identifiers import BranchId, UserId
from domain.queries import ListUsers, ReadMyself, ReadUser
from domain.reports.views import Page
from web.api.users.shapes import (
    CreateUserBody,
    PasswordBody,
    UpdateUserBody,
    User,
    UserList,
    VersionBody,
    render_user,
)
from web.responses.problems import Problem
from web.responses.replies import Outcome
from web.routing.call import Call, made
from web.routing.route import PAGING, Route


async def read_myself(call: Call) -> Outcome:
    """Who asks."""
    account = await call.ask(ReadMyself(), Account)
    if isinstance(account, Problem):
        return account
    return call.read_one(render_user(account), account.version)


async def create_user(call: Call) -> Outcome:
    """Make a user."""
    body = call.fields(CreateUserBody)
    command = CreateUser(
        user_id=UserId(call.new_id()),
        email=body.email,
        password=body.password,
        full_name=body.full_name,
        role=body.role,
        branch_id=None if body.branch_id is None else BranchId(body.branch_id),
    )
    done = await call.carry_out(command, Account)
    if isinstance(done, Problem):
        return done
    return made(done, render_user(done.view), 201, f"/users/{done.view.id}")


async def list_users(call: Call) -> Outcome:
    """A page of the users in sight."""
    page = call.page()
    if isinstance(page, Problem):
        return page
    found = await call.ask(ListUsers(page), Page)
    return found if isinstance(found, Problem) else call.listed(found, render_user)


async def read_user(call: Call) -> Outcome:
    """One user."""
    account = await call.ask(ReadUser(UserId(call.ids["user_id"])), Account)
    if isinstance(account, Problem):
        return account
    return call.read_one(render_user(account), account.version)


async def read_own_user(call: Call) -> Outcome:
    """Who asks."""
    return await read_myself(call)


async def update_user(call: Call) -> Outcome:
    """Change a user that is still the version that was seen."""
    body = call.fields(UpdateUserBody)
    version = call.expected_version(body.version, required=True)
    if not isinstance(version, int):
        assert version is not None
        return version
    command = UpdateUser(
        user_id=UserId(call.ids["user_id"]),
        expected_version=version,
        email=body.email,
        full_name=body.full_name,
        role=body.role,
        branch_id=None if body.branch_id is None else BranchId(body.branch_id),
        is_active=body.is_active,
    )
    done = await call.carry_out(command, Account)
    return done if isinstance(done, Problem) else made(done, render_user(done.view), 200)


async def deactivate_user(call: Call) -> Outcome:
    """Take a user's access away; his history stays."""
    version = call.expected_version(call.fields(VersionBody).version, required=True)
    if not isinstance(version, int):
        assert version is not None
        return version
    done = await call.carry_out(DeactivateUser(UserId(call.ids["user_id"]), version), Account)
    return done if isinstance(done, Problem) else made(done, render_user(done.view), 200)


async def change_password(call: Call) -> Outcome:
    """Set a password; every other session of the user ends."""
    body = call.fields(PasswordBody)
    command = ChangePassword(UserId(call.ids["user_id"]), body.current, body.new_password)
    done = await call.carry_out(command, Account)
    return done if isinstance(done, Problem) else made(done, render_user(done.view), 200)


USERS: Final = (
    Route(
        method="POST",
        path="/users/",
        handler=create_user,
        summary="Make a user",
        tag="users",
        answers={201: User},
        body=CreateUserBody,
        problems=(403, 409),
    ),
    Route(
        method="GET",
        path="/users/",
        handler=list_users,
        summary="The users in sight",
        tag="users",
        answers={200: UserList},
        query=PAGING,
        problems=(403,),
    ),
    Route(
        method="GET",
        path="/users/me",
        handler=read_own_user,
        summary="Who is signed in",
        tag="users",
        answers={200: User},
        tagged=True,
    ),
    Route(
        method="GET",
        path="/users/{user_id}",
        handler=read_user,
        summary="One user",
        tag="users",
        answers={200: User},
        tagged=True,
        problems=(403,),
    ),
    Route(
        method="PUT",
        path="/users/{user_id}",
        handler=update_user,
        summary="Change a user",
        tag="users",
        answers={200: User},
        body=UpdateUserBody,
        versioned=True,
        problems=(403, 409),
    ),
    Route(
        method="DELETE",
        path="/users/{user_id}",
        handler=deactivate_user,
        summary="Deactivate a user",
        tag="users",
        answers={200: User},
        body=VersionBody,
        versioned=True,
        problems=(403, 409),
    ),
    Route(
        method="POST",
        path="/users/{user_id}/password",
        handler=change_password,
        summary="Set a password",
        tag="users",
        answers={200: User},
        body=PasswordBody,
        problems=(403,),
    ),
)
