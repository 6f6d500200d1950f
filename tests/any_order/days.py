"""Stretches of days: several steps in the one order in which a promise was broken once. Steps drawn at random seldom
come to these by themselves; here each is one thing that may happen, in the middle of everything else, and the laws of
the machine are looked at after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlmodel import col, select

from tasks.vault.records import Headshot, Seat
from tests.any_order.company import KITS

if TYPE_CHECKING:
    from tests.any_order.test_any_order import AnyOrder

LIVES = 10**6  # steps after which nothing dies


def today(day: AnyOrder, drop: str = "/a", photos: bool = False, dies_after: int = LIVES) -> str:
    """The newest upload is run; its batch."""
    return day.run(newest=True, kit=KITS[0], drop=drop, photos=photos, dies_after=dies_after)


def approve_the_newest(day: AnyOrder, batch: str, who: int) -> bool:
    """Somebody's newest picture of this batch's own kit is approved there, by somebody who has seen everything."""
    person = day.company.people[who].record
    with day.vault.reading() as session:
        seat = session.get(Seat, (batch, person)) if person else None
        mine = select(Headshot.digest).where(Headshot.employee_id == person, Headshot.kit == KITS[0])
        shots = session.exec(mine.order_by(col(Headshot.created_at), col(Headshot.round))).all()
    if person is None or seat is None or seat.kit or not shots:
        return False
    day.says(batch, person, shots[-1], "approve", "Ada", sees=False)
    return True


def deliver_everywhere(day: AnyOrder) -> None:
    """Every batch, the oldest last."""
    for at in reversed(range(len(day.batches))):
        day.delivers(at, "one", may_remove=True)


def approved_and_then_called_otherwise(day: AnyOrder, who: int) -> None:
    """Married after the picture was approved: it waits to be approved under the new name."""
    approve_the_newest(day, today(day), who)
    day.is_called_otherwise(who, "name")
    today(day)
    deliver_everywhere(day)


def approved_and_then_taken_back_and_agreed_again(day: AnyOrder, who: int) -> None:
    """What was approved under the consent of before does not come back with the new one."""
    approve_the_newest(day, today(day), who)
    day.takes_consent_back(who)
    today(day)
    day.agrees_again(who)
    today(day)
    deliver_everywhere(day)


def a_reshoot_is_approved_in_one_of_two_batches(day: AnyOrder, who: int) -> None:
    """The newest approved picture is theirs in the other batch, too, and in the next run of it."""
    first, second = today(day), today(day, "/b")
    if not approve_the_newest(day, first, who):
        return
    day.says(second, day.company.people[who].record, None, "redo", "Lin", sees=False)
    day.new_pictures_are_taken(list(day.batches).index(second))
    approve_the_newest(day, second, who)
    deliver_everywhere(day)
    today(day)
    deliver_everywhere(day)


def a_decision_comes_from_a_page_of_before(day: AnyOrder, who: int) -> None:
    """The same people were run again under another drop meanwhile: what is said on the older page is saved."""
    older = today(day)
    today(day, "/b")
    approve_the_newest(day, older, who)
    deliver_everywhere(day)


def a_second_batch_dies_before_its_pictures(day: AnyOrder, who: int) -> None:
    """Whoever is approved elsewhere, and not done here, is not delivered out of a half-made batch."""
    approve_the_newest(day, today(day), who)
    today(day, "/b", dies_after=9)
    deliver_everywhere(day)


def memory_ends_while_owners_are_checked(day: AnyOrder, who: int) -> None:
    """What was learned until then is not lost: the next run goes on from it."""
    day.sends_new_photos(who)
    day.company.classroom.dies_among_owners = True
    batch = today(day, photos=True)
    day.company.classroom.dies_among_owners = False
    day.a_run_is_carried_on(list(day.batches).index(batch))


def only_the_joiners_photos_come_with_the_full_roster(day: AnyOrder, who: int) -> None:
    """An upload adds. Photos that it does not bring stay, and those that were replaced go by retention alone."""
    today(day, photos=False)
    day.sends_new_photos(who)
    today(day, photos=True)
    deliver_everywhere(day)


def a_batch_in_which_nothing_is_approved_is_delivered_over_another(day: AnyOrder, who: int) -> None:
    """Neither is the folder emptied nor another batch's file taken away, but of whoever is gone."""
    approve_the_newest(day, today(day), who)
    deliver_everywhere(day)
    other = day.run(newest=True, kit=KITS[1], drop="/b", photos=False, dies_after=LIVES)
    for may_remove in (False, True):
        day.delivers(list(day.batches).index(other), "one", may_remove)


def most_of_a_delivery_would_go(day: AnyOrder, who: int) -> None:
    """Two were delivered, one is refused since: half of the files are not taken away unasked."""
    batch = today(day)
    here = list(day.batches).index(batch)
    others = [one.index for one in day.company.people if approve_the_newest(day, batch, one.index)]
    day.delivers(here, "two", may_remove=True)
    if who in others:
        with day.vault.reading() as session:
            mine = select(Headshot.digest).where(Headshot.employee_id == day.company.people[who].record)
            shots = session.exec(mine).all()
        for shot in shots:
            day.says(batch, day.company.people[who].record, shot, "reject", "Lin", sees=False)
    day.delivers(here, "two", may_remove=False)


def two_reviewers_disagree(day: AnyOrder, who: int) -> None:
    """Whoever had not seen a colleague's word is told of it before it is overruled, in an older batch as well."""
    older = today(day)
    today(day, "/b")
    approve_the_newest(day, older, who)
    person = day.company.people[who].record
    day.says(older, person, None, "redo", "Lin", sees=True)
    day.says(older, person, None, "redo", "Lin", sees=False)


def numbers_are_swapped_once_approved(day: AnyOrder, who: int) -> None:
    """Each is asked about and waits, in every batch; neither is delivered under the other's name, asked or answered."""
    batch, other = today(day), (who + 1) % len(day.company.people)
    today(day, "/b")
    for one in (who, other):
        approve_the_newest(day, batch, one)
    day.numbers_are_swapped(who, other)
    today(day)
    deliver_everywhere(day)
    for _ in range(2):
        day.questions_are_answered(0)
    today(day)
    deliver_everywhere(day)


def somebody_is_left_out_of_the_next_roster(day: AnyOrder, who: int) -> None:
    """Left, or left out? It is asked, and they stay until it is answered."""
    approve_the_newest(day, today(day), who)
    day.leaves_or_returns(who, "left out")
    today(day)
    deliver_everywhere(day)


STRETCHES: tuple[Callable[[AnyOrder, int], None], ...] = (
    approved_and_then_called_otherwise,
    approved_and_then_taken_back_and_agreed_again,
    a_reshoot_is_approved_in_one_of_two_batches,
    a_decision_comes_from_a_page_of_before,
    a_second_batch_dies_before_its_pictures,
    memory_ends_while_owners_are_checked,
    only_the_joiners_photos_come_with_the_full_roster,
    a_batch_in_which_nothing_is_approved_is_delivered_over_another,
    most_of_a_delivery_would_go,
    two_reviewers_disagree,
    numbers_are_swapped_once_approved,
    somebody_is_left_out_of_the_next_roster,
)
