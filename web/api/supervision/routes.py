"""The supervision tree: seen, and ordered about, by operators; and the figures for the metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from actors.ports.tree_views import ActorView, DrainView, NodeView, OrderTaken, WorkInHand
from domain.commands.loans import DrainNode, OrderActor
from domain.operations.operating import TreeOrder
from domain.queries import ReadActor, ReadDrainEffect, ReadFigures, ReadRestartEffect, ReadTree
from web.api.supervision.shapes import (
    ActorShape,
    DrainEffectShape,
    DrainShape,
    EffectShape,
    NodeShape,
    OrderBody,
    OrderShape,
    render_actor,
    render_drain_effect,
    render_effect,
)
from web.responses.openmetrics import MEDIA_TYPE, openmetrics
from web.responses.problems import Problem
from web.responses.replies import Outcome, Page, Reply
from web.routing.call import Call
from web.routing.route import DRY_RUN, SUPERVISION_TAG, Route

HELP: Final = {
    "actor_handling_seconds": "How long messages took, by kind of actor and type of message.",
    "actor_handling_seconds_max": "The longest that a message of this type took.",
    "actor_mailbox_depth": "Messages that wait.",
    "actor_mailbox_high_water": "The most messages that have waited.",
    "actor_messages_dropped": "Messages lost because a mailbox was full.",
    "actor_messages_failed": "Messages that ended without an answer and without a crash.",
    "actor_messages_processed": "Messages carried out or answered.",
    "actor_messages_quarantined": "Messages that an actor crashed on and that are kept.",
    "actor_messages_rejected": "Messages refused: the mailbox was full, or the actor not running.",
    "actor_messages_shed": "Messages whose deadline had passed before their turn.",
    "actor_restarts": "How often a child was started again; of sessions, how many crashed.",
    "actor_up": "Whether a child runs.",
    "connections": "Connections open at the listener.",
    "connections_refused": "Connections turned away at a limit.",
    "draining": "Whether the process was told to drain.",
    "clock_ahead_seconds": "By how much the machine's clock is ahead of the database's.",
    "feed_lag_seconds": "Time since the change feed was last read to its end.",
    "feed_position": "The place in the change feed that was handed on last.",
    "tasks": "Tasks alive in the event loop.",
    "loop_lag_seconds": "How long the event loop took to answer, the last time it was asked.",
    "loop_lag_seconds_max": "The longest that the event loop ever took to answer.",
    "pool_away": "Whether the server behind the pool could not be reached the last time.",
    "pool_connections": "Connections open in the pool.",
    "pool_connections_in_use": "Connections lent out by the pool.",
    "pool_connections_max": "How many connections the pool may open.",
    "sessions": "Session actors, one for each user who was here lately.",
    "sockets": "WebSockets that hear notifications.",
    "sync_queue": "Operations that still have to move to or from the head office.",
}


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


async def drain_node(call: Call) -> Outcome:
    """Empty the whole node of its connections, and end it."""
    if call.query.get("dry_run", False):
        in_hand = await call.ask(ReadDrainEffect(), WorkInHand)
        return in_hand if isinstance(in_hand, Problem) else Reply(render_drain_effect(in_hand))
    done = await call.carry_out(DrainNode(call.fields(OrderBody).reason), DrainView)
    return done if isinstance(done, Problem) else Reply(done.view, 202)


async def read_metrics(call: Call) -> Outcome:
    """The figures of the whole node, for Prometheus."""
    samples = await call.ask(ReadFigures(), tuple)
    if isinstance(samples, Problem):
        return samples
    return Page(openmetrics(samples, HELP), MEDIA_TYPE)


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
    Route(
        method="POST",
        path="/supervision/drain",
        handler=drain_node,
        summary="Empty the whole node before a deploy, and end it",
        tag=SUPERVISION_TAG,
        answers={200: DrainEffectShape, 202: DrainShape},
        body=OrderBody,
        query=(DRY_RUN,),
        problems=(403,),
    ),
    Route(
        method="GET",
        path="/metrics",
        handler=read_metrics,
        summary="The figures of the node, for Prometheus",
        tag=SUPERVISION_TAG,
        answers={200: None},
        media_type=MEDIA_TYPE,
        problems=(403,),
    ),
)
