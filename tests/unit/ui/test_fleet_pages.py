"""Deployments, caches and findings are shown as all workers see them."""

from __future__ import annotations

from dataclasses import replace

from support.attempts import deployments, settings
from support.ledger import entry
from support.ui_world import HOSTILE, USD, World, text
from tiergate.core.cache_plan import CachePlan
from tiergate.core.meaning_plan import MeaningPlan
from tiergate.core.prefix_figures import LastDrift, PrefixFigures
from tiergate.core.remarks import Remark
from tiergate.core.sighting import Seen, Sighting
from tiergate.stores.answers_memory import MemoryAnswers
from tiergate.ui.sights import Fleet, Lookups, Speed
from tiergate.web.cache_routes import OpenCache


async def world_of(**given) -> World:
    world = World(**given)
    await world.sign_in()
    return world


# ------------------------------------------------------------------ deployments


async def test_a_cooldown_is_shown_with_its_end_and_its_cause():
    until = World().now + 42
    sightings = [
        Sighting(1, deployments=(Seen("a", "cooling", until, "timeout", 4, 2),)),
        Sighting(2, deployments=(Seen("a", "ready", in_flight=1),)),
    ]
    world = await world_of(fleet=Fleet(sightings=sightings, states={"serving": 2, "ended": 0}))
    page = await world.page("/ui/deployments")
    shown = text(page)
    assert "■ cooling down ready in 42 s it took too long; 1 of 2 workers 3 4" in shown
    assert "data-until" in page
    assert "Workers: 2 serving." in shown
    assert "● ready" in shown


async def test_speed_is_shown_where_there_were_answers():
    world = await world_of(fleet=Fleet(speeds={"a": Speed(7, 0.5, 2.5, None)}))
    shown = text(await world.page("/ui/deployments"))
    assert "0 0 500 ms 2.50 s – 7" in shown
    assert "0 0 – – – 0" in shown


async def test_a_deployment_that_is_off_says_why():
    world = await world_of()
    off = deployments(cheap="a")[0]
    off = replace(
        off, off=f"for production {HOSTILE}", api_base="https://user:secret@host.example/v1"
    )
    world.settings = settings([off])
    page = await world.page("/ui/deployments")
    assert "○ switched off" in text(page)
    assert "host.example" in page
    assert "secret" not in page
    assert HOSTILE not in page


# ------------------------------------------------------------------ caches


def cached() -> OpenCache:
    return OpenCache(MemoryAnswers(1_000_000, lambda: 0.0), "backlog", 3600.0)


def figures(**given) -> PrefixFigures:
    return PrefixFigures(name="build", calls=3, input=1000, read=920, saved=USD, **given)


async def test_prompt_caches_have_rate_savings_and_drift():
    drift = LastDrift(World().now - 60, "system", 2, "changed", 512, "timestamp")
    world = await world_of(
        fleet=Fleet(
            prefixes={
                ("ab", "balanced", "review"): figures(drifts={"system": 2}, last=drift),
                ("cd", "cheap", ""): PrefixFigures(calls=1),
            }
        )
    )
    shown = text(await world.page("/ui/caches"))
    assert "build balanced review 3 92 % $1.00 $0 2" in shown
    assert "system block 2 changed at about byte 512: it looks like a timestamp 1 min ago" in shown
    assert "cd cheap – 1 – $0 $0 0 none" in shown


async def test_savings_are_those_of_the_period():
    world = await world_of(cache=cached())
    world.ledger.records += [
        entry(1, cache="response", saving=3 * USD, input=0),
        entry(2, cache="semantic", saving=USD, input=0),
        entry(3, saving=2 * USD, cache_read=3000),
        entry(4, wall=world.now - 40 * 86_400, cache="response", saving=99 * USD),
    ]
    plan = CachePlan(meaning=MeaningPlan.__new__(MeaningPlan))
    world.settings = replace(world.settings, cache=plan)
    shown = text(await world.page("/ui/caches?period=today"))
    assert "$2.00 saved, 3k of 4k prompt tokens read from a cache." in shown
    assert "in this period 1 calls answered, $3.00 saved" in shown
    assert "In this period: 1 calls answered, $1.00 saved." in shown
    assert "$102.00" in text(await world.page("/ui/caches?period=all"))


async def test_look_ups_have_a_rate():
    looked = Lookups("cheap", {"hit": 3, "shared": 1, "miss": 4, "bypass_stream": 9}, {"near": 1})
    world = await world_of(cache=cached(), fleet=Fleet(lookups=[looked]))
    shown = text(await world.page("/ui/caches"))
    assert "cheap 50 % 8 bypass stream 9 miss 4 hit 3 shared 1" in shown


async def test_forgetting_all_answers_forgets_them(monkeypatch):
    cache = cached()
    cleared: list[str] = []

    async def clear(namespace: str) -> int:
        cleared.append(namespace)
        return 5

    monkeypatch.setattr(cache.store, "clear", clear)
    world = await world_of(cache=cache)
    proto = await world.post("/ui/caches/clear")
    assert proto.header("location") == "/ui/caches?said=cache-cleared"
    assert cleared == ["backlog"]


async def test_a_cache_that_does_not_answer_forgets_nothing(monkeypatch):
    cache = cached()

    async def clear(_: str) -> None:
        return None

    monkeypatch.setattr(cache.store, "clear", clear)
    world = await world_of(cache=cache)
    proto = await world.post("/ui/caches/clear")
    assert proto.status == 503
    assert "nothing was deleted" in proto.data.decode()


async def test_without_caches_the_page_says_what_to_write():
    world = await world_of()
    page = await world.page("/ui/caches")
    assert "litellm_settings.cache: true" in page
    assert "no cache type that compares by meaning" in page
    assert (await world.post("/ui/caches/clear")).status == 400


# ------------------------------------------------------------------ check


async def test_findings_have_place_and_advice():
    world = await world_of(faults=["the cache does not answer: away"])
    remarks = (
        Remark("warning", "weak-key", "config.yaml:7", "a.b", f"is {HOSTILE}", "Change it."),
        Remark("notice", "note", "config.yaml", "", "was read", ""),
    )
    world.settings = replace(world.settings, remarks=remarks)
    page = await world.page("/ui/check")
    shown = text(page)
    assert HOSTILE not in page
    assert "■ The cache does not answer: away." in shown
    assert "Warnings 1 ▲ warning config.yaml:7 a.b weak-key" in shown
    assert "Change it." in shown
    assert "Notices 1 ○ notice config.yaml note was read." in shown
    assert "Errors" not in shown


async def test_nothing_found_is_told():
    shown = text(await (await world_of()).page("/ui/check"))
    assert "● Stores and caches answer." in shown
    assert "Warnings 0 None." in shown
