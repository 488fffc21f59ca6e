"""Whatever workers see, and whenever they hear of it: they come to one mind, and one probes."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from support.attempts import failure
from tiergate.base.errors import Failure
from tiergate.base.values import DeploymentId
from tiergate.core.cooldown import FAILURE_WINDOW, Book, Rule, State, state
from tiergate.pipeline.cooldowns import Cooldowns
from tiergate.stores.documents_memory import MemoryDocuments

NAMES = (DeploymentId("a"), DeploymentId("b"))
RULES = {
    NAMES[0]: Rule(allowed_fails=2, cooldown_time=30, lease=60),
    NAMES[1]: Rule(allowed_fails=1, cooldown_time=20, elsewhere=True, forgiving=True),
}
WORDS = ("500", "429", "timeout", "400")
WORKERS = 3

names = st.sampled_from(NAMES)
moves = st.one_of(
    st.tuples(st.just("fails"), names, st.sampled_from(WORDS)),
    st.tuples(st.just("serves"), names, st.just("")),
    st.tuples(st.just("probes"), names, st.just("")),
    st.tuples(st.just("released"), names, st.just("")),
    st.tuples(st.just("waits"), names, st.sampled_from(("1", "10", "31"))),
)
steps = st.lists(st.tuples(st.integers(0, WORKERS - 1), moves), max_size=40)


class World:
    """Some workers on one store. Their clocks began at different instants."""

    def __init__(self) -> None:
        self.wall = 1_000_000.0
        self.told: list[DeploymentId] = []
        store = MemoryDocuments()
        self.workers = [self._worker(store, number) for number in range(WORKERS)]

    def _worker(self, store: MemoryDocuments, number: int) -> Cooldowns:
        def tell(name: DeploymentId, said: Failure, seconds: float) -> None:
            assert seconds > 0 and said.status
            self.told.append(name)

        return Cooldowns(store, lambda: self.now(number), lambda: self.wall, tell)

    def now(self, worker: int) -> float:
        return self.wall - 999_000.0 - 100.0 * worker

    async def move(self, worker: int, move: tuple[str, DeploymentId, str]) -> bool:
        """Let a worker see something. Returns whether a probe may go out."""
        what, name, word = move
        self.wall += 0.001
        one, rule = self.workers[worker], RULES[name]
        match what:
            case "fails":
                hint = 9.0 if word == "429" else None
                one.failed(name, rule, failure(word, hint), self.now(worker))
            case "serves":
                one.succeeded(name, rule, self.now(worker))
            case "released":
                one.released(name)
            case "probes":
                if self.state(worker, name) is State.PROBE_ALLOWED:
                    return await one.may_probe(name, rule, self.now(worker))
            case _:
                self.wall += float(word)
        return False

    def state(self, worker: int, name: DeploymentId) -> State:
        return state(self.workers[worker].marks.get(name), self.now(worker))

    async def hear(self) -> None:
        for _ in range(2):
            for one in self.workers:
                await one.look()

    async def end(self) -> None:
        for one in self.workers:
            await one.aclose()


def seen(world: World, worker: int) -> dict[DeploymentId, tuple[object, ...]]:
    """What a worker knows that matters, by the wall's clock and to the millisecond."""
    ahead = world.wall - world.now(worker)

    def at(instant: float) -> float:
        return round(instant + ahead, 3) if instant else 0.0

    lately = world.now(worker) - FAILURE_WINDOW + 0.01
    found = {
        name: (
            tuple((at(instant), kind) for instant, kind in mark.fails if instant > lately),
            at(mark.until),
            at(mark.probe_until),
            mark.cause,
        )
        for name, mark in world.workers[worker].marks.items()
    }
    return {name: mark for name, mark in found.items() if mark[0] or mark[1]}


@settings(max_examples=200, deadline=None)
@given(steps)
def test_workers_that_hear_of_all_at_once_are_like_one(script) -> None:
    async def run() -> None:
        world, book = World(), Book()
        for worker, move in script:
            await world.move(worker, move)
            await world.hear()
            what, name, word = move
            rule, now = RULES[name], world.wall
            match what:
                case "fails":
                    hint = 9.0 if word == "429" else None
                    book.failed(name, rule, failure(word, hint), now)
                case "serves":
                    book.succeeded(name, rule, now)
                case "released":
                    book.released(name)
                case "probes":
                    book.called(name, rule, now)
                case _:
                    pass
            for each in range(WORKERS):
                for one in NAMES:
                    alone = state(book.marks.get(one), world.wall)
                    assert world.state(each, one) is alone, (each, one, move)
        await world.end()

    asyncio.run(run())


@settings(max_examples=200, deadline=None)
@given(steps, st.randoms(use_true_random=False))
def test_workers_come_to_one_mind_once_all_have_heard(script, dice) -> None:
    async def run() -> None:
        world = World()
        for worker, move in script:
            await world.move(worker, move)
            if dice.random() < 0.3:
                await world.workers[dice.randrange(WORKERS)].look()
        await world.hear()
        assert seen(world, 0) == seen(world, 1) == seen(world, 2)
        await world.end()

    asyncio.run(run())


@settings(max_examples=200, deadline=None)
@given(steps)
def test_never_do_two_probe_at_once(script) -> None:
    async def run() -> None:
        world = World()
        out: dict[DeploymentId, float] = {}
        for worker, move in script:
            what, name, _ = move
            if what == "released":
                continue  # whoever probes says how it ended
            may = await world.move(worker, move)
            if may and world.state(worker, name) is State.PROBING:
                assert world.wall > out.get(name, 0.0), "another one was out"
                out[name] = world.wall + RULES[name].lease
            elif what in ("fails", "serves"):
                out.pop(name, None)
        await world.end()

    asyncio.run(run())
