"""The very same photos under two names: asked, waited for, answered with one press, remembered, and taken back."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select
from typer.testing import CliRunner

from reports.desk.app import create_desk
from tasks.roster.questions import BadAnswer, answer_question, answers_to_undo, open_questions, waiting_people
from tasks.vault.records import Batch, Consent, Decision, Employee, Headshot, Question, Selfie
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vision.faces import Eyes
from tests.selfies.test_intake import NOW, by_number, seat, take

LATER = NOW + timedelta(hours=1)
MakeDrop = Callable[..., Path]
Card = Callable[..., bytes]


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with open_vault(Settings(home=tmp_path / "home")) as opened:
        yield opened


@pytest.fixture
def second(vault: Vault, make_drop: MakeDrop, card: Card, eyes: Eyes, tmp_path: Path) -> Path:
    """A drop in which Zoe's folder holds two photos that were kept for Ann; it has been taken in once."""
    photos = [card("red", grain) for grain in range(2)]
    first = make_drop(
        "Employee ID,Name\n1,Ann\n", "Employee ID,Given at\n1,2026-10-01\n",
        {f"selfies/1/{i}.jpg": data for i, data in enumerate(photos)},
    )  # fmt: skip
    batch = seat(vault, first)
    take(vault, batch, first, lambda: eyes)
    (other := tmp_path / "other" / "selfies" / "9").mkdir(parents=True)
    drop = tmp_path / "other"
    (drop / "roster.csv").write_text("Employee ID,Name\n9,Zoe\n1,Ann\n")
    (drop / "consents.csv").write_text("Employee ID,Given at\n9,2026-10-01\n1,2026-10-01\n")
    for place, data in enumerate(photos):
        (other / f"{place}.jpg").write_bytes(data)
    draw(vault, batch, "1")
    run(vault, drop, eyes)
    return drop


def draw(vault: Vault, batch: str, number: str) -> None:
    """A picture of this person, approved."""
    with vault.session() as session:
        who = session.exec(select(Employee).where(Employee.number == number)).one()
        kit = session.get_one(Batch, batch).kit
        consent = session.exec(select(Consent.id).where(Consent.employee_id == who.id)).one()
        session.add(Headshot(digest=f"of {number}", employee_id=who.id, kit=kit, kit_digest="k", shot=0, seed=1,
                             state="approved", created_at=NOW))  # fmt: skip
        session.add(Decision(id=f"yes {number}", employee_id=who.id, headshot_digest=f"of {number}", batch_id=batch,
                             kit=kit, verdict="approve", consent_id=consent, by="Otto", at=NOW))  # fmt: skip


def run(vault: Vault, drop: Path, eyes: Eyes) -> dict[str, tuple[str, str | None]]:
    batch = seat(vault, drop)
    take(vault, batch, drop, lambda: eyes)
    return by_number(vault, batch)


def ids(vault: Vault) -> dict[str, str]:
    with vault.reading() as session:
        return {one.number: one.id for one in session.exec(select(Employee))}


def in_use(vault: Vault) -> dict[str, int]:
    """Number → photos in use. Not one is ever deleted here."""
    with vault.reading() as session:
        found = session.exec(select(Selfie).where(col(Selfie.replaced_at).is_(None), Selfie.accepted)).all()
        assert all(vault.exists(one.blob_key) for one in session.exec(select(Selfie).where(Selfie.accepted)))
    return {
        number: count for number, who in ids(vault).items() if (count := sum(one.employee_id == who for one in found))
    }


def of_the_picture(vault: Vault) -> str:
    with vault.reading() as session:
        return session.get_one(Headshot, "of 1").state


def say(vault: Vault, answer: str) -> str:
    [asked] = open_questions(vault)
    answer_question(vault, asked.id, answer, "Hannah", LATER)
    return asked.id


def test_both_wait_and_hr_is_asked_once_although_the_other_sends_no_photos_this_time(
    vault: Vault, second: Path, eyes: Eyes
) -> None:
    """0.1 compared with people of this roster only where they sent photos too: the month's joiners were never asked."""
    assert run(vault, second, eyes) == {"9": ("blocked", "same_photo_other_name"), "1": ("ready", None)}
    [asked] = open_questions(vault)
    assert asked.words == "2 photos sent for Zoe, 9 lie under the name of Ann, 1 already. Whom do they show?"
    with vault.reading() as session:
        assert waiting_people(session) == {ids(vault)["1"], ids(vault)["9"]}, "nothing of either leaves"
        held = session.exec(select(Selfie.digest)).all()
        assert not any(digest in repr(session.exec(select(Question)).all()) for digest in held), "by pseudonyms only"
    assert in_use(vault) == {"1": 2}


def test_they_are_whose_hr_says_and_what_was_drawn_of_the_other_is_refused(
    vault: Vault, second: Path, eyes: Eyes
) -> None:
    say(vault, f"of:{ids(vault)['9']}")
    assert in_use(vault) == {}
    assert of_the_picture(vault) == "rejected"
    with vault.reading() as session:
        assert waiting_people(session) == set()
        assert [(one.verdict, one.by) for one in session.exec(select(Decision).order_by(col(Decision.at)))] == [
            ("approve", "Otto"), ("reject", "Hannah"),
        ]  # fmt: skip
    for _ in range(2):
        assert run(vault, second, eyes) == {"9": ("ready", None), "1": ("blocked", "no_photos")}
    assert open_questions(vault) == [], "remembered"
    assert in_use(vault) == {"9": 2}


@pytest.mark.parametrize(("answer", "left", "picture"), [("1", {"1": 2}, "approved"), ("", {}, "rejected")])
def test_photos_of_somebody_else_are_not_used_for_whom_they_came(
    vault: Vault, second: Path, eyes: Eyes, answer: str, left: dict[str, int], picture: str
) -> None:
    say(vault, f"of:{ids(vault)[answer]}" if answer else "of_neither")
    for _ in range(2):
        assert run(vault, second, eyes)["9"] == ("blocked", "no_photos")
    assert (open_questions(vault), in_use(vault), of_the_picture(vault)) == ([], left, picture)


def test_an_answer_is_taken_back_and_another_one_given(vault: Vault, second: Path, eyes: Eyes) -> None:
    question = say(vault, f"of:{ids(vault)['9']}")
    run(vault, second, eyes)
    [(undo, words)] = answers_to_undo(vault)
    assert (undo, words) == (question, "Photos that came for Zoe, 9 and Ann, 1 show Zoe, 9 (Hannah said so).")
    answer_question(vault, question, "undo", "Otto", LATER + timedelta(hours=1))
    assert of_the_picture(vault) == "approved"
    assert in_use(vault) == {"1": 2, "9": 2}, "and both wait"
    with vault.reading() as session:
        assert waiting_people(session) == {ids(vault)["1"], ids(vault)["9"]}
    assert run(vault, second, eyes)["9"] == ("blocked", "same_photo_other_name")
    with pytest.raises(BadAnswer, match="taken back"):
        answer_question(vault, question, "undo", "Otto", LATER)
    say(vault, f"of:{ids(vault)['1']}")
    assert in_use(vault) == {"1": 2}
    assert run(vault, second, eyes) == {"9": ("blocked", "no_photos"), "1": ("ready", None)}


def test_a_colleagues_yes_after_the_answer_is_not_undone_with_it(vault: Vault, second: Path) -> None:
    question = say(vault, "of_neither")
    with vault.session() as session:
        refusal = session.exec(select(Decision).where(Decision.verdict == "reject")).one()
        again = {**refusal.model_dump(), "id": "again", "verdict": "approve", "by": "Lin", "at": LATER + timedelta(1)}
        session.add(Decision(**again))
    answer_question(vault, question, "undo", "Otto", LATER + timedelta(days=2))
    with vault.reading() as session:
        assert session.exec(select(Decision).where(Decision.verdict == "undo")).all() == []


def test_whoever_is_forgotten_is_asked_about_no_more_and_holds_up_nobody(vault: Vault, second: Path) -> None:
    with vault.session() as session:
        ann = session.exec(select(Employee).where(Employee.number == "1")).one()
        ann.state = "erasing"
        session.add(ann)
    assert open_questions(vault) == []
    with vault.reading() as session:
        assert waiting_people(session) == set()


def test_it_is_one_press_at_the_desk_and_one_more_to_take_it_back(vault: Vault, second: Path) -> None:
    [asked] = open_questions(vault)
    with TestClient(create_desk(vault.settings.model_copy(update={"desk_password": "a long word"}))) as desk:
        desk.post("/login", data={"name": "Hannah", "password": "a long word"})
        page = desk.get("/questions").text
        assert asked.words in page
        form = {"token": page.split('name="token" value="')[1].split('"')[0], "answer": f"of:{ids(vault)['9']}"}
        assert desk.post(f"/questions/{asked.id}", data=form, follow_redirects=False).status_code == 303
        assert in_use(vault) == {}
        page = desk.get("/questions").text
        assert "show Zoe, 9 (Hannah said so)" in page
        assert "Take this answer back" in page
        assert desk.post(f"/questions/{asked.id}", data=form | {"answer": "undo"}).status_code == 200
        assert asked.words in desk.get("/questions").text
    assert in_use(vault) == {"1": 2}


def test_it_is_answered_and_taken_back_in_the_shell(vault: Vault, second: Path) -> None:
    from flows import cli

    def shell(*words: str) -> str:
        result = CliRunner().invoke(cli.app, [*words, "--home", str(vault.settings.home)])
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split())

    [asked] = open_questions(vault)
    assert f"of:{ids(vault)['9']}" in shell("questions")
    shell("answer", asked.id, f"of:{ids(vault)['9']}", "--by", "Hannah")
    said = shell("questions")
    assert "show Zoe, 9 (Hannah said so). undo takes that back No open questions." in said
    shell("answer", asked.id, "undo")
    assert len(open_questions(vault)) == 1
