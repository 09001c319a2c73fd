"""The elector and the singletons: who leads acts, who stands by does not."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import trio
import trio.testing

from actors.messages.elector import TellTerm
from actors.messages.housekeeping import StandsBy, SweepNow
from actors.messages.replies import Unavailable
from actors.node.elector import CAMPAIGN_EVERY_S, CAMPAIGN_TIMEOUT_S, Elector
from actors.node.housekeeping import SWEEP_EVERY_S, Housekeeping
from domain.operations.leadership import Deposed, Term
from domain.outages import StoreUnavailable
from domain.reports.views import Sweepings
from supervisors.inspection.reader import supervisor_snapshot
from supervisors.runtime.child_spec import ChildSpec, Strategy
from supervisors.runtime.orders import suspend
from supervisors.runtime.supervisor import Supervisor
from tests.actors.stand_ins import NOON, SetClock

NOTHING = Sweepings(0, 0, 0)


@dataclass
class Throne:
    """A leadership that is decided by the test, and an upkeep that obeys its latest term."""

    latest: int = 1
    leads: bool = True
    away: bool = False
    hangs: bool = False
    resigned: int = 0
    swept: list[int] = field(default_factory=list)

    async def campaign(self) -> Term | None:
        if self.hangs:
            await trio.sleep_forever()
        if self.away:
            raise StoreUnavailable("away")
        return Term(self.latest, NOON) if self.leads else None

    async def resign(self) -> None:
        self.resigned += 1

    async def sweep(self, now: datetime, term: Term) -> Sweepings | Deposed:
        if term.number != self.latest:
            return Deposed(self.latest)
        self.swept.append(term.number)
        return NOTHING


@asynccontextmanager
async def singletons(throne: Throne):
    root = Supervisor(
        "core",
        [
            ChildSpec("elector", lambda: Elector(throne)),
            ChildSpec(
                "housekeeping",
                lambda: Housekeeping(throne, SetClock(), root.address("elector")),
            ),
        ],
        Strategy.REST_FOR_ONE,
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(root.run)
        yield root
        nursery.cancel_scope.cancel()


def reason(root: Supervisor) -> str:
    return supervisor_snapshot(root).children[0].reason


async def test_the_leader_sweeps_when_it_is_time_and_its_write_carries_the_term(autojump_clock):
    throne = Throne(latest=7)
    async with singletons(throne) as root:
        assert reason(root) == "running, leading, term 7"
        assert await root.address("housekeeping").ask(SweepNow(), timeout_s=1) == NOTHING
        await trio.sleep(SWEEP_EVERY_S + 1)
        assert throne.swept == [7, 7]


async def test_who_stands_by_does_nothing_and_takes_over_when_it_may(autojump_clock):
    throne = Throne(leads=False)
    async with singletons(throne) as root:
        assert reason(root) == "running, standby"
        assert await root.address("housekeeping").ask(SweepNow(), timeout_s=1) == StandsBy()
        throne.leads, throne.latest = True, 2
        await trio.sleep(CAMPAIGN_EVERY_S + 0.1)
        assert await root.address("elector").ask(TellTerm(), timeout_s=1) == Term(2, NOON)
        assert reason(root) == "running, leading, term 2"
        assert await root.address("housekeeping").ask(SweepNow(), timeout_s=1) == NOTHING


async def test_a_leader_that_cannot_reach_the_database_stands_by(autojump_clock):
    throne = Throne()
    async with singletons(throne) as root:
        throne.away = True
        await trio.sleep(CAMPAIGN_EVERY_S + 0.1)
        assert reason(root) == "running, standby"
        throne.away, throne.hangs = False, True
        await trio.sleep(CAMPAIGN_EVERY_S + CAMPAIGN_TIMEOUT_S + 0.1)
        assert await root.address("elector").ask(TellTerm(), timeout_s=1) is None


async def test_a_deposed_leader_is_told_by_its_own_write_and_campaigns_anew(autojump_clock):
    throne = Throne()
    async with singletons(throne) as root:
        throne.latest = 2
        assert await root.address("housekeeping").ask(SweepNow(), timeout_s=1) == StandsBy()
        await trio.testing.wait_all_tasks_blocked()
        assert throne.resigned == 1
        assert throne.swept == []
        await trio.sleep(CAMPAIGN_EVERY_S + 0.1)
        assert await root.address("housekeeping").ask(SweepNow(), timeout_s=1) == NOTHING


async def test_whoever_stops_lets_the_next_one_lead(autojump_clock):
    throne = Throne()
    async with singletons(throne):
        assert throne.resigned == 0
    assert throne.resigned == 1


async def test_nobody_sweeps_while_it_is_not_known_who_leads(autojump_clock):
    throne = Throne()
    async with singletons(throne) as root:
        suspend(root, "/core/elector")
        swept = await root.address("housekeeping").ask(SweepNow(), timeout_s=10)
        assert isinstance(swept, Unavailable)
        assert throne.swept == []
