"""What wants HR now, as a list: each kind once per batch, the most urgent first, and nothing that waits for nobody."""

from datetime import UTC, datetime
from typing import Any

from reports.desk.batch_state import BatchState
from reports.desk.day import title_of, wants_of

NOON = datetime(2026, 9, 14, 12, tzinfo=UTC)


def batch(**fields: Any) -> BatchState:
    given: dict[str, Any] = {
        "id": "b1", "name": "", "named": False, "kit": "northwind", "kit_title": "Northwind", "quality": "standard",
        "drop": "d", "created_at": NOON, "people": 31, "counts": {}, "blocked": (), "redo": 0, "undelivered": 0,
        "archived": False, "stopped": False, "held_by": "", "maker": "",
    }  # fmt: skip
    return BatchState(**{**given, **fields})


def titles(*batches: BatchState, questions: int = 0, late: str = "", by: str = "Ada") -> list[str]:
    return [want.title for want in wants_of(batches, questions, late, by)]


def test_nothing_waits_where_everything_is_done() -> None:
    assert titles(batch(counts={"approved": 31})) == []


def test_what_is_late_or_waits_for_an_answer_comes_first() -> None:
    found = titles(batch(counts={"review": 5}), questions=2, late="40 hours ago.")
    assert found == [
        "Forgetting is late", "2 questions that only you can answer", "5 people to review: Northwind, 31 people",
    ]  # fmt: skip


def test_with_many_batches_what_can_wait_stands_below_every_batch_s_work() -> None:
    many = [batch(id=f"b{age}", name=f"B{age}", counts={"review": 1, "blocked": 1}) for age in range(12)]
    found = titles(*many)
    assert len(found) == 24
    assert all("to review" in title for title in found[:12])
    assert all("left out" in title for title in found[12:])


def test_who_is_forgotten_next_is_said_while_a_slip_can_be_mended() -> None:
    [want] = wants_of([], 0, "", "Ada", (2, "17 September"))
    assert (want.title, want.address) == ("2 people's data will be erased, next: 17 September", "/retention")


def test_a_picture_that_needs_a_look_is_to_review_too() -> None:
    [want] = wants_of([batch(counts={"review": 4, "attention": 1})], 0, "", "Ada")
    assert want.title.startswith("5 people to review")
    assert want.detail == "One of them needs a closer look, and comes first."


def test_new_pictures_are_one_press() -> None:
    [want] = wants_of([batch(redo=1, counts={"redo": 1})], 0, "", "Ada")
    assert (want.press, want.address, want.action) == (True, "/batches/b1/reshoot", "Take new pictures")


def test_while_a_run_is_on_its_way_nothing_of_its_batch_is_asked_for_but_who_is_left_out() -> None:
    found = titles(
        batch(maker="run", redo=1, counts={"review": 3, "failed": 1, "blocked": 1}, blocked=(("no_photos", 1),))
    )
    assert found == ["1 person is left out: Northwind, 31 people"]


def test_delivering_waits_for_the_review() -> None:
    assert titles(batch(undelivered=3, counts={"approved": 3})) == [
        "3 approved pictures are not delivered yet: Northwind, 31 people"
    ]
    assert "delivered" not in " ".join(titles(batch(undelivered=3, counts={"approved": 3, "review": 1})))


def test_whoever_ordered_it_cannot_say_yes_to_it() -> None:
    held = batch(held_by="Ada", counts={"awaiting_approval": 300})
    [mine], [theirs] = wants_of([held], 0, "", "Ada"), wants_of([held], 0, "", "Otto")
    assert "a colleague has to say yes" in mine.detail
    assert theirs.detail.startswith("Ada ordered it")


def test_a_stopped_batch_waits_to_be_carried_on() -> None:
    assert titles(batch(stopped=True, counts={"stopped": 12})) == ["Stopped, 12 people wait: Northwind, 31 people"]


def test_reasons_are_said_the_most_frequent_first() -> None:
    reasons = (("no_photos", 4), ("no_consent", 3), ("left_company", 2), ("on_leave", 1), ("blurred", 1))
    [want] = wants_of([batch(counts={"blocked": 11}, blocked=reasons)], 0, "", "Ada")
    assert want.detail.startswith("4 × no photos yet, 3 × ")
    assert want.detail.endswith("and 2 for other reasons.")


def test_an_archived_batch_wants_nobody() -> None:
    assert titles(batch(archived=True, redo=1, counts={"review": 5})) == []


def test_a_batch_is_called_what_somebody_called_it() -> None:
    assert title_of(batch(name="Berlin, autumn", named=True)) == "Berlin, autumn"
    assert title_of(batch(people=1)) == "Northwind, 1 person"
    assert title_of(batch(people=0)) == "Northwind, just begun"
