"""The supervision tree: seen, and ordered about, by operators; and the figures for the metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from actors.tree_views import ActorView, NodeView, OrderTaken
from domain.commands import OrderActor
from domain.operating import TreeOrder
from domain.queries import ReadActor, ReadRestartEffect, ReadTree
from web.calls import Call
from web.problems import Problem
from web.replies import Outcome, Reply
from web.request_reading import Parameter
from web.routing import SUPERVISION_TAG, Route
from web.schemas.supervision import (
    ActorShape,
    EffectShape,
    NodeShape,
    OrderBody,
    OrderShape,
    render_actor,
    render_effect,
)

_TRUTHS: Final = {"true": True, "false": False}
DRY_RUN: Final = Parameter(
    "dry_run", _TRUTHS.get, "true or false", {"type": "boolean", "default": False}
)


async def read_tree(call: Call) -> Outcome:
    """The living tree of the whole node."""
    tree = await call.ask(ReadTree(), NodeView)
    return tree if isinstance(tree, Problem) else Reply(tree)


async def read_actor(call: Call) -> Outcome:
    """One child more closely."""
    actor = await call.ask(ReadActor(_path(call)), ActorView)
    return actor if isinstance(actor, Problem) else Reply(render_actor(actor))


async def restart_actor(call: Call) -> Outcome:
    """Stop a child and start it anew."""
    return await _order(call, TreeOrder.RESTART)


async def suspend_actor(call: Call) -> Outcome:
    """Hold an actor's messages back."""
    return await _order(call, TreeOrder.SUSPEND)


async def resume_actor(call: Call) -> Outcome:
    """Let a suspended actor at its messages again."""
    return await _order(call, TreeOrder.RESUME)


async def _order(call: Call, order: TreeOrder) -> Outcome:
    path = _path(call)
    if call.query.get("dry_run", False):
        effect = await call.ask(ReadRestartEffect(path), tuple)
        if isinstance(effect, Problem):
            return effect
        stopped = effect if order is TreeOrder.RESTART else ()
        return Reply(render_effect(path, order, stopped))
    command = OrderActor(path, order, call.fields(OrderBody).reason)
    done = await call.carry_out(command, OrderTaken)
    if isinstance(done, Problem):
        return done
    return Reply({"path": done.view.path, "order": order}, 202)


def _path(call: Call) -> str:
    """Paths of actors begin with a slash, which the URL has before them anyway."""
    return "/" + call.words["path"].strip("/")


def _ordering(
    handler: Callable[[Call], Awaitable[Outcome]], order: TreeOrder, summary: str
) -> Route:
    return Route(
        method="POST",
        path=f"/supervision/actors/{{path}}/{order}",
        handler=handler,
        summary=summary,
        tag=SUPERVISION_TAG,
        answers={200: EffectShape, 202: OrderShape},
        body=OrderBody,
        query=(DRY_RUN,),
        problems=(403, 404, 409),
    )


SUPERVISION: Final = (
    Route(
        method="GET",
        path="/supervision/tree",
        handler=read_tree,
        summary="The living tree of the node",
        tag=SUPERVISION_TAG,
        answers={200: NodeShape},
        problems=(403,),
    ),
    Route(
        method="GET",
        path="/supervision/actors/{path}",
        handler=read_actor,
        summary="One child of the tree more closely",
        tag=SUPERVISION_TAG,
        answers={200: ActorShape},
        problems=(403, 404),
    ),
    _ordering(restart_actor, TreeOrder.RESTART, "Stop a child and start it anew"),
    _ordering(suspend_actor, TreeOrder.SUSPEND, "Hold an actor's messages back"),
    _ordering(resume_actor, TreeOrder.RESUME, "Let a suspended actor go on"),
)
