"""What goes when: golden files for people to read, and laws that hold for every company, rule and moment.

After a change that is meant: ROLLCALL_WRITE_GOLDEN=1 pytest tests/retention/test_plan.py, and read the difference.
"""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.retention.plan import DeletionPlan, Item, Person, plan_deletions
from tasks.retention.rules import Rules, StandingHold, load_rules

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
RULES = load_rules()
GOLDEN = Path(__file__).parent / "golden"


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def _selfie(person: str, at: float, name: str = "1") -> Item:
    return Item(f"people/{person}/selfies/{name}", person, "selfies", "biometric", day(at))


def _picture(person: str, at: float, name: str, rejected: float | None = None, approved: bool = False) -> Item:
    decided = None if rejected is None else day(rejected)
    clock = "approved" if approved else "candidate"
    return Item(f"people/{person}/headshots/{name}", person, "headshots", clock, day(at), decided)  # type: ignore[arg-type]


SCENES: dict[str, tuple[list[Item], list[Person], Rules, list[float]]] = {
    "photos_after_approval": (
        [_selfie("p1", 0), _selfie("p2", 0), _selfie("p3", 0), _selfie("p3", 12, "new")],
        [Person("p1", approved_at=day(3)), Person("p2"), Person("p3", approved_at=day(10))],
        RULES,
        [3, 9.99, 10, 17, 30, 42],
    ),
    "pictures": (
        [_picture("p1", 0, "no", rejected=2), _picture("p1", 0, "yes", approved=True), _picture("p1", 0, "open")],
        [Person("p1", approved_at=day(2))],
        RULES,
        [8, 9, 30, 4000],
    ),
    "opted_out": (
        [
            Item("people/p1/adapter/a", "p1", "adapter", "biometric", day(0), generated=True),
            Item("people/p1/headshots/drawn", "p1", "headshots", "candidate", day(0), generated=True),
            Item("people/p1/originals/yes", "p1", "originals", "approved", day(0), generated=True),
            Item("people/p1/headshots/late", "p1", "headshots", "candidate", day(4), generated=True),
            _picture("p1", 0, "yes", approved=True),
            _picture("p1", 0, "retouched"),
            _selfie("p1", 0),
            Item("people/p2/adapter/a", "p2", "adapter", "biometric", day(0), generated=True),
        ],
        [Person("p1", opted_out_at=day(3)), Person("p2")],
        RULES,
        [2.99, 3, 4],
    ),
    "leaving": (
        [_selfie("p1", 0), _picture("p1", 0, "yes", approved=True), _selfie("p2", 0)],
        [Person("p1", left_at=day(5)), Person("p2")],
        RULES,
        [5, 18.99, 19],
    ),
    "withdrawn_and_requested": (
        [_selfie("p1", 0), _selfie("p2", 0)],
        [Person("p1", withdrawn_at=day(1)), Person("p2", requested_at=day(1), left_at=day(0))],
        RULES,
        [0.99, 1, 3.99, 4],
    ),
    "legal_hold": (
        [_selfie("p1", 0), _selfie("p2", 0)],
        [Person("p1", withdrawn_at=day(1)), Person("p2")],
        RULES.model_copy(update={"hold": (StandingHold(person="p1", reason="court", until=date(2026, 3, 1)),)}),
        [4, 55, 56],
    ),
    "leftovers_and_proof": (
        [
            Item("people/p1/checkpoints/1", "p1", "checkpoints", "run", day(0)),
            Item("batch:b1", "", "batch", "record", day(0)),
            Item("consent:c1", "p9", "consent", "proof", day(0)),
            Item("receipt:e1", "p9", "erasure", "proof", day(0)),
        ],
        [Person("p1")],
        RULES,
        [1.99, 2, 365, 2190],
    ),
}


def _written(plan: DeletionPlan) -> str:
    lines = [f"  goes   {one.item.id} ({one.reason}: {one.sentence})" for one in plan.delete]
    lines += [f"  stays  {one.item.id} ({one.reason}: {one.sentence})" for one in plan.keep]
    lines += [f"  forget {one.person} ({one.reason}, due {one.due_at:%d %b %H:%M})" for one in plan.forget]
    lines += [f"  held   {one}" for one in plan.held]
    return "\n".join(lines)


@pytest.mark.parametrize("name", SCENES)
def test_golden(name: str) -> None:
    items, people, rules, moments = SCENES[name]
    text = "".join(f"day {at:g}\n{_written(plan_deletions(items, people, rules, day(at)))}\n" for at in moments)
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("ROLLCALL_WRITE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


moments = st.floats(0, 400).map(lambda number: day(round(number, 4)))
people_ids = st.sampled_from(["p1", "p2", "p3"])


@st.composite
def items(draw: st.DrawFn) -> list[Item]:
    found = {}
    for number in range(draw(st.integers(0, 8))):
        person = draw(people_ids)
        clock = draw(st.sampled_from(["biometric", "candidate", "approved", "run", "record", "proof"]))
        created = draw(moments)
        decided = draw(st.none() | st.floats(0, 50).map(lambda days, at=created: at + timedelta(days=days)))
        item = Item(f"people/{person}/x/{number}", person, "selfies", clock, created, decided)
        found[item.id] = item
    return list(found.values())


@st.composite
def people(draw: st.DrawFn) -> list[Person]:
    maybe = st.none() | moments
    return [
        Person(one, approved_at=draw(maybe), withdrawn_at=draw(maybe), left_at=draw(maybe), requested_at=draw(maybe))
        for one in ("p1", "p2", "p3")
    ]


holds = st.lists(
    st.builds(StandingHold, person=people_ids, reason=st.just("court"), until=st.none() | st.just(date(2026, 6, 1))),
    max_size=2,
)


@pytest.mark.parametrize(("approved", "goes", "because"), [(3, 10, "approved"), (23, 30, "latest"), (25, 30, "latest")])
def test_an_approval_near_the_end_gives_no_photo_more_time(approved: float, goes: float, because: str) -> None:
    """Seven days after approval, thirty at the latest: whichever is sooner."""
    items, people = [_selfie("p1", 0)], [Person("p1", approved_at=day(approved))]
    [stays] = plan_deletions(items, people, RULES, day(goes - 0.01)).keep
    assert stays.reason == because
    [gone] = plan_deletions(items, people, RULES, day(goes)).delete
    assert (gone.reason, gone.item) == (because, items[0])


@settings(max_examples=150, deadline=None)
@given(items(), people(), holds, moments)
def test_everything_once_never_early_and_nothing_held(
    what: list[Item], who: list[Person], held: list[StandingHold], now: datetime
) -> None:
    rules = RULES.model_copy(update={"hold": tuple(held)})
    plan = plan_deletions(what, who, rules, now)
    forgotten = {one.person for one in plan.forget}
    listed = [one.item.id for one in (*plan.delete, *plan.keep)]
    rest = [item.id for item in what if item.person in forgotten and item.clock != "proof"]
    assert sorted(listed + rest) == sorted(item.id for item in what)
    assert all(one.due_at is not None and one.due_at <= now for one in plan.delete)
    assert all(one.due_at <= now for one in plan.forget)
    standing = {hold.person for hold in held if hold.until is None or now.date() <= hold.until}
    assert not standing & forgotten
    assert not [one for one in plan.delete if one.item.person in standing and one.item.clock != "proof"]
    for one in plan.keep:  # nothing due is kept, but for a hold
        assert one.reason == "hold" or one.due_at is None or one.due_at > now
    assert plan == plan_deletions(list(reversed(what)), list(reversed(who)), rules, now)


@settings(max_examples=80, deadline=None)
@given(items(), people(), moments, st.floats(0, 100))
def test_what_is_due_stays_due(what: list[Item], who: list[Person], now: datetime, later: float) -> None:
    """Time alone never saves anything."""
    first = plan_deletions(what, who, RULES, now)
    second = plan_deletions(what, who, RULES, now + timedelta(days=later))
    gone = {one.item.id for one in second.delete} | {
        item.id for item in what if item.person in {one.person for one in second.forget}
    }
    assert {one.item.id for one in first.delete} <= gone
    assert {one.person for one in first.forget} <= {one.person for one in second.forget}


@settings(max_examples=60, deadline=None)
@given(items(), people(), st.integers(0, 23), st.integers(0, 400))
def test_daily_sweeps_are_never_early_and_at_most_a_day_late(
    what: list[Item], who: list[Person], hour: int, first_day: int
) -> None:
    """Sweep every day at one hour from some day on: each thing goes at the first sweep at or after its due moment."""
    before = plan_deletions(what, [], RULES, day(0) - timedelta(days=1))
    due = {one.item.id: one.due_at for one in before.keep if one.due_at is not None}
    assert not before.delete
    gone: dict[str, datetime] = {}
    left = list(what)
    for number in range(first_day, first_day + 90):
        now = day(number) + timedelta(hours=hour)
        for one in plan_deletions(left, [], RULES, now).delete:
            gone[one.item.id] = now
        left = [item for item in left if item.id not in gone]
    begins, ends = day(first_day) + timedelta(hours=hour), day(first_day + 89) + timedelta(hours=hour)
    for identity, at in gone.items():
        assert at >= due[identity]
        assert at < max(due[identity], begins) + timedelta(hours=24)
    for identity, at in due.items():
        assert identity in gone or at > ends
