"""A batch and an erasure of the same person, interleaved in every order a seeded scheduler thinks of.

Real code on a real vault. Both run as greenlets that hand over at every failpoint, so one step of either can fall
between any two steps of the other; erasers are killed and started again; writers freeze and go on. The same harness
run against a naive eraser (rows, then files, no fence) finds its fault, which shows that it can see one.
"""

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa
from greenlet import getcurrent, greenlet
from sqlmodel import SQLModel, col

from tasks.retention.case import Surroundings
from tasks.retention.erase import NobodyHere, carry_out, forget, look_again, open_cases
from tasks.retention.orphans import sweep_orphans
from tasks.retention.rules import load_rules
from tasks.vault.failpoints import listening, reach
from tasks.vault.failures import NoConsent
from tasks.vault.records import Artifact, Employee, Selfie
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault

AROUND = Surroundings(load_rules())
Work = Callable[[], object]


@pytest.fixture(scope="module")
def stages() -> Iterator[tuple[Vault, Vault]]:
    """Two vaults, with keys and without (where every byte shows), in memory where there is such a place.

    They stay open for all schedules: preparing statements anew for each would take most of the time.
    """
    memory = Path("/dev/shm")
    with (
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
        open_vault(Settings(home=Path(folder) / "keys", encrypt=True)) as first,
        open_vault(Settings(home=Path(folder) / "plain", encrypt=False)) as second,
    ):
        yield first, second


def _reset(vault: Vault, kit: ModuleType) -> None:
    """An empty vault with two people on the roster."""
    for engine, tables in (
        (vault.engine, SQLModel.metadata.sorted_tables),
        (vault.keys.engine, [sa.table("wrapped_key"), sa.table("barred_person")]),
    ):
        with engine.begin() as connection:
            for table in tables:
                connection.execute(sa.delete(table))
    for folder in (vault.settings.home / "blobs", vault.settings.receipts):
        if folder.exists():
            shutil.rmtree(folder)
    (vault.settings.home / "blobs").mkdir()
    for one in ("p1", "p2"):
        kit.enrol(vault, one)


@dataclass
class World:
    """One vault, its actors, and who may still take a step."""

    vault: Vault
    kit: ModuleType
    runnable: dict[str, greenlet] = field(default_factory=dict)
    killed: list[greenlet] = field(default_factory=list)  # kept, so that nothing of theirs runs on

    def start(self, name: str, work: Work) -> None:
        self.runnable[name] = greenlet(lambda: self._survive(work))

    @staticmethod
    def _survive(work: Work) -> None:
        with suppress(NoConsent, NobodyHere):
            work()

    def step(self, name: str) -> None:
        actor = self.runnable[name]
        actor.switch()
        if actor.dead:
            del self.runnable[name]

    def kill(self, name: str) -> None:
        self.killed.append(self.runnable.pop(name))


def _batch(world: World, person: str, run: int) -> None:
    """What a batch does: permit, selfie with its row, adapter, headshot."""
    permit = world.vault.permit(person, now=world.kit.NOW)
    who = world.kit.canary(person)
    for kind in ("selfies", "adapter", "headshots"):
        key = world.vault.write(permit, kind, f"{run}.bin", who.pixels, now=world.kit.NOW)
        reach("batch.row.before")
        with world.vault.session() as session:
            if kind == "selfies":
                row = Selfie(id=f"{person}-{run}", employee_id=person, digest="d", blob_key=key, width=1, height=1,
                             created_at=world.kit.NOW)  # fmt: skip
                session.merge(row)


def _erase(world: World) -> None:
    vault, now = world.vault, world.kit.NOW
    carry_out(vault, open_cases(vault, now)[0], now, AROUND)
    forget(vault, "p1", "withdrawn", now, AROUND)


def _naive_erase(world: World) -> None:
    """Rows, then files: what one would write first."""
    with world.vault.session() as session:
        for table in (Selfie, Artifact):
            session.execute(sa.delete(table).where(col(table.employee_id) == "p1"))
        session.execute(sa.update(Employee).where(col(Employee.id) == "p1").values(name="", state="erased"))
    reach("naive.rows.done")
    for remnant in world.vault.blobs.remains("people/p1/"):
        reach("naive.file.before")
        world.vault.blobs.erase_keys([remnant.key])


def _run_schedule(vault: Vault, kit: ModuleType, seed: int, erase: Callable[[World], None]) -> list[str]:
    """One interleaving, drained to its end; everything that is wrong afterwards."""
    dice = random.Random(seed)
    world = World(vault, kit)
    hub = getcurrent()

    def hand_over(_: str) -> None:
        if getcurrent() is not hub:
            hub.switch()

    with listening(hand_over):
        world.start("batch", lambda: _batch(world, "p1", 1))
        world.start("bystander", lambda: _batch(world, "p2", 1))
        world.start("eraser", lambda: erase(world))
        for number in range(dice.randrange(20, 90)):
            act = dice.random()
            if act < 0.04 and "eraser" in world.runnable:
                world.kill("eraser")
            elif act < 0.08 and "batch" not in world.runnable:
                world.start("batch", lambda run=number + 2: _batch(world, "p1", run))
            elif act < 0.12 and "eraser" not in world.runnable:
                world.start("eraser", lambda: erase(world))
            elif world.runnable:
                world.step(dice.choice(sorted(world.runnable)))
        return _judge(world, erase)


def _judge(world: World, erase: Callable[[World], None]) -> list[str]:
    """Let everybody alive finish, start a last eraser, wait out the writers' life, sweep; then nothing may be left."""
    while "eraser" in world.runnable or "bystander" in world.runnable:
        world.step("eraser" if "eraser" in world.runnable else "bystander")
    world.start("last", lambda: erase(world))
    while "last" in world.runnable:
        world.step("last")
    while "batch" in world.runnable:  # a writer that was frozen through all of it
        world.step("batch")
    vault, kit, later = world.vault, world.kit, world.kit.NOW + timedelta(hours=7)
    look_again(vault, open_cases(vault, later)[1], later, AROUND)
    sweep_orphans(vault, later, later)
    wrong = [f"left: {remnant.key}" for remnant in vault.blobs.remains("people/p1/")]
    wrong += [f"key: {kind}" for kind in vault.keys.holders().get("p1", ())]
    with vault.reading() as session:
        if session.get_one(Employee, "p1").state != "erased":
            wrong.append("not erased")
    wrong += [f"found: {hit.where}" for hit in kit.hits([vault.settings.home], kit.canary("p1"))]
    permit = vault.permit("p2", now=kit.NOW)
    others = [key for key in vault.blobs.keys("people/p2/")]
    if len(others) != 3 or any(vault.read(permit, key) != kit.canary("p2").pixels for key in others):
        wrong.append("a bystander lost something")
    return wrong


def _failing(
    stages: tuple[Vault, Vault], kit: ModuleType, seeds: range, erase: Callable[[World], None]
) -> Iterator[str]:
    """Every schedule that ended wrong, and how."""
    for seed in seeds:
        vault = stages[seed % 2]
        _reset(vault, kit)
        wrong = _run_schedule(vault, kit, seed, erase)
        if wrong:
            yield f"seed {seed}: {wrong}"


def test_some_schedules(stages: tuple[Vault, Vault], kit: ModuleType) -> None:
    assert list(_failing(stages, kit, range(30), _erase)) == []


@pytest.mark.slow
def test_two_hundred_schedules(stages: tuple[Vault, Vault], kit: ModuleType) -> None:
    assert list(_failing(stages, kit, range(1000, 1200), _erase)) == []


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_two_thousand_schedules(stages: tuple[Vault, Vault], kit: ModuleType) -> None:
    assert list(_failing(stages, kit, range(1000, 3000), _erase)) == []


def test_the_harness_sees_a_naive_eraser_fail(stages: tuple[Vault, Vault], kit: ModuleType) -> None:
    assert next(_failing(stages, kit, range(60), _naive_erase), None)
