"""Rosters, runs, kills, reviews, deliveries, withdrawals, forgettings, in any order: what holds after every step.

Laws: what was answered "saved" is there; nobody leaves without a consent that stands and an approval that counts; no
picture stands under another's number; no photo, adapter or picture goes but by retention, with a receipt; everybody of
a roster has one seat; who was forgotten is nowhere; a hold holds. They are checked against what really happened to the
people (`company.py`), never against what the records believe; those of deliveries stand in `laws_of_delivery.py`.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import col, select

from reports.decisions import apply_decisions, overrules
from tasks.delivery import handing_over
from tasks.delivery.handing_over import DeliveryOrder, NothingToDeliver, TooManyGo, hand_over
from tasks.delivery.pack import kit_pack
from tasks.delivery.places import open_destination
from tasks.disclosure.trust import signing_chain
from tasks.headshots.task import ask_again
from tasks.retention.erase import forget
from tasks.retention.sweep import MassDeletion, run_retention
from tasks.roster.questions import (
    ANOTHER,
    LEFT,
    LEFT_OUT,
    MISTAKE,
    SAME,
    answer_question,
    open_questions,
)
from tasks.roster.rows import RosterRow
from tasks.vault import audit_log
from tasks.vault.failures import NoConsent, NotLikeThis
from tasks.vault.halts import carry_on, stop_batch
from tasks.vault.records import (
    Adapter,
    Artifact,
    Batch,
    Decision,
    EarlierName,
    Employee,
    Erasure,
    Headshot,
    Question,
    Seat,
    Selfie,
    Showing,
)
from tasks.vault.review import reviews_of
from tasks.vault.seat_kits import choose_kit
from tasks.vault.seats import STATES
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault
from tests.any_order.company import KITS, Company, Human
from tests.any_order.days import STRETCHES
from tests.any_order.laws_of_delivery import is_theirs, may_be_shown, were_asked_about, who_may_leave

REVIEWERS = ("Ada", "Lin")
ABOUT_SOMEBODY = (Selfie, Adapter, Headshot, Showing, Decision, EarlierName, Question, Artifact)
someone = st.integers(0, 3)
which = st.integers(0, 59)  # of what there is by then, in the order in which it came
# After how many of its steps a run is killed: between any two, and in the middle of learning; most live.
DEATHS = (1, 2, 3, 4, 6, 9, 11, 12, 13, 14, *[10**6] * 7)


# What may happen, how often beside the rest, and with what. One rule draws from all of it: Hypothesis would otherwise
# leave most of the rules out of each try, and these faults need many of them together.
HAPPENINGS: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("is_called_otherwise", 1, dict(who=someone, what=st.sampled_from(["name", "e-mail", "number"]))),
    ("numbers_are_swapped", 1, dict(one=someone, other=someone)),
    ("a_merger_changes_every_address", 1, dict()),
    ("leaves_or_returns", 1, dict(who=someone, how=st.sampled_from(["left out", "terminated", "back"]))),
    ("sends_new_photos", 1, dict(who=someone)),
    ("takes_consent_back", 1, dict(who=someone)),
    ("agrees_again", 1, dict(who=someone)),
    ("says_in_the_roster_whether_pictures_may_be_generated", 1, dict(who=someone, wish=st.booleans())),
    ("gets_a_kit_by_the_roster", 1, dict(who=someone, kit=st.sampled_from(["", *KITS]))),
    ("time_passes", 1, dict(hours=st.sampled_from([1, 24, 24 * 8, 24 * 20]))),
    ("run", 6, dict(newest=st.booleans(), kit=st.sampled_from(KITS), drop=st.sampled_from(["/a", "/b"]),
                    photos=st.booleans(), dies_after=st.sampled_from(DEATHS))),
    ("a_run_is_carried_on", 2, dict(at=which)),
    ("a_register_arrives_alone", 1, dict()),
    ("questions_are_answered", 4, dict(at=which)),
    ("decides", 10, dict(at=which, picture=which, who=someone, by=st.sampled_from(REVIEWERS), sees=st.booleans(),
                         twice=st.booleans(), of_a_line_in_question=st.booleans(),
                         verdict=st.sampled_from([*["approve"] * 5, "reject", "redo", "opt_out", "undo"]))),
    ("new_pictures_are_taken", 2, dict(at=which)),
    ("delivers", 5, dict(at=which, where=st.sampled_from(["one", "two"]), may_remove=st.booleans())),
    ("a_kit_is_chosen", 1, dict(at=which, who=someone, kit=st.sampled_from(KITS))),
    ("is_stopped_or_carried_on", 1, dict(at=which, stop=st.booleans())),
    ("is_held_or_no_longer", 1, dict(who=someone)),
    ("asks_to_be_forgotten", 1, dict(who=someone)),
    ("the_night_sweep_runs", 1, dict(go=st.booleans())),
    ("a_stretch_of_days_passes", 2, dict(stretch=st.sampled_from(STRETCHES), who=someone)),
)  # fmt: skip
OFTEN = tuple(name for name, weight, _ in HAPPENINGS for _ in range(weight))
WITH = {name: known for name, _, known in HAPPENINGS}


class AnyOrder(RuleBasedStateMachine):
    """One company; every rule is something that people or machines do on a normal day."""

    @initialize()
    def move_in(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="any-order-"))
        rules = self.home / "rules.toml"
        rules.write_text("")
        self.settings = Settings(home=self.home / "home", retention_rules=rules)
        self.vault = open_vault(self.settings)
        self.company = Company(self.vault)
        self.batches: dict[str, int] = {}  # batch → which upload it took in last
        self.saved: dict[str, tuple[Any, ...]] = {}
        self.blobs: set[str] = set()
        self.may_go = False  # whether this step is retention's work
        self.cases: set[str] = set()
        self.run(newest=True, kit=KITS[0], drop="/a", photos=True, dies_after=10**6)

    def teardown(self) -> None:
        if hasattr(self, "vault"):
            chain = audit_log.verify(self.vault.engine, None, None)
            self.vault.close()
            shutil.rmtree(self.home)
            assert not chain.faults, chain

    @rule(name=st.sampled_from(OFTEN), data=st.data())
    def then(self, name: str, data: st.DataObject) -> None:
        """One of everything that may happen."""
        getattr(self, name)(**{word: data.draw(how, label=word) for word, how in WITH[name].items()})

    def batch(self, at: int) -> str:
        """One of the batches, in the order in which they were opened."""
        return list(self.batches)[at % len(self.batches)]

    # what happens to people

    def is_called_otherwise(self, who: int, what: str) -> None:
        human, mark = self.company.people[who], f"{self.company.now:%d%H%M}"
        if what == "name":
            human.name = f"{human.name.split()[0]} Wed{'abcdefghij'[len(human.called) % 10] * 4}"
        elif what == "e-mail":
            human.email = f"q{who}.{mark}@zoo.example"
        else:
            human.number = f"M{who}{mark}"
        self._recall(human)

    def numbers_are_swapped(self, one: int, other: int) -> None:
        first, second = self.company.people[one], self.company.people[other]
        first.number, second.number = second.number, first.number
        self._recall(first, second)

    def a_merger_changes_every_address(self) -> None:
        for human in self.company.people:
            human.email = f"{human.index}.{self.company.now:%d%H%M}@merged.example"
        self._recall(*self.company.people)

    def leaves_or_returns(self, who: int, how: str) -> None:
        human = self.company.people[who]
        human.listed, human.status = how != "left out", "Terminated" if how == "terminated" else "Active"

    def sends_new_photos(self, who: int) -> None:
        self.company.people[who].photos += 1

    def takes_consent_back(self, who: int) -> None:
        line = self.company.people[who].consents[-1]
        line[2] = line[2] or f"{self.company.now:%Y-%m-%d}"

    def agrees_again(self, who: int) -> None:
        human = self.company.people[who]
        self.company.tick(days=2)
        human.consents.append([human.number, f"{self.company.now:%Y-%m-%d}", ""])

    def says_in_the_roster_whether_pictures_may_be_generated(self, who: int, wish: bool) -> None:
        self.company.people[who].generation = wish

    def gets_a_kit_by_the_roster(self, who: int, kit: str) -> None:
        self.company.people[who].kit = kit

    def time_passes(self, hours: int) -> None:
        self.company.tick(hours=hours)

    # what HR does

    def run(self, newest: bool, kit: str, drop: str, photos: bool, dies_after: int) -> str:
        """An upload arrives and is run, the newest state or one from before; the process may be killed on its way. The
        batch."""
        if newest or not self.company.uploads:
            self.company.upload(photos)
        number = len(self.company.uploads) - 1
        if not newest:
            number = number // 2
        upload = self.company.uploads[number]
        self.company.send(upload)
        self.company.tick()
        self.called = {human.index: self.company.known(human) for human in self.company.people}
        batch = self.company.run(upload, kit, drop, dies_after)
        self.batches[batch] = number
        if dies_after > 1:
            self._everybody_is_who_they_are()
        if dies_after > 3:
            self._whoever_is_missing_is_asked_about(batch)
        return batch

    def a_run_is_carried_on(self, at: int) -> None:
        """The same drop again, as it was: what was interrupted goes on, what was done stays."""
        batch = self.batch(at)
        with self.vault.reading() as session:
            row = session.get_one(Batch, batch)
        self.company.run(self.company.uploads[self.batches[batch]], row.kit, row.drop)

    def a_register_arrives_alone(self) -> None:
        """Uploaded, checked, never run: withdrawals count all the same."""
        upload = self.company.upload(photos=False)
        self.company.uploads.pop()
        self.company.send(upload)
        for human in self.company.people:
            if human.record and human.consents[-1][2] and self._is_plain(human):
                with pytest.raises(NoConsent):
                    self.vault.permit(human.record, now=self.company.now)

    def questions_are_answered(self, at: int) -> None:
        """HR says what is so."""
        asked = open_questions(self.vault)
        if not asked:
            return
        question = asked[at % len(asked)]
        with self.vault.reading() as session:
            row = session.get_one(Question, question.id)
            record = session.get_one(Employee, row.employee_id)
        answer = self._truth(row, record)
        choices = {choice.answer for choice in question.choices}
        if answer not in choices:
            answer = MISTAKE
        before = {human.record for human in self.company.people}
        answer_question(self.vault, question.id, answer, "Ada", self.company.tick())
        if answer == ANOTHER and (human := self._human_of(record)) is not None and record.id not in before:
            human.record, human.forgotten, human.held = record.id, False, False

    def decides(
        self,
        at: int,
        picture: int,
        who: int,
        verdict: str,
        by: str,
        sees: bool,
        twice: bool,
        of_a_line_in_question: bool,
    ) -> None:
        """In any batch, the older ones too; of any picture of that person, wherever it is shown by now."""
        batch = self.batch(at)
        human = self.company.people[who]
        with self.vault.reading() as session:
            theirs = select(Headshot.digest).where(Headshot.employee_id == human.record)
            mine = session.exec(
                theirs.order_by(col(Headshot.created_at), col(Headshot.round), col(Headshot.seed))
            ).all()
            waiting = [q.employee_id for q in session.exec(select(Question).where(Question.kind == "who_is_this"))]
        target = human.record
        if verdict == "opt_out" and waiting and of_a_line_in_question:
            target = waiting[0]
        shot = mine[picture % len(mine)] if mine and target == human.record else None
        self.says(batch, target, shot, verdict, by, sees, twice)

    def says(
        self,
        batch: str,
        target: str | None,
        picture: str | None,
        verdict: str,
        by: str,
        sees: bool,
        twice: bool = False,
    ) -> None:
        """A decision is sent from a page; it is saved, or refused for a reason."""
        at = self.company.tick()
        row = {"employee": target, "headshot": picture, "verdict": verdict, "at": at.isoformat()}
        row |= {"sees": ""} if sees else {}
        refusal = self._refusal_of(batch, target, verdict, picture, by, sees)
        with self.vault.reading() as session:
            before = set(session.exec(select(Decision.id)).all())
        for _ in range(1 + twice):
            answered = apply_decisions(self.vault, {"batch": batch, "decisions": [row]}, by, at)
            assert [one.code for one in answered.refused] == ([refusal] if refusal else []), (
                "a batch that is older, too"
            )
        with self.vault.reading() as session:
            new = [d for d in session.exec(select(Decision)).all() if d.id not in before]
        assert len(new) == (refusal is None), "what is not refused is saved, and twice is once"
        self.saved |= {d.id: (target, d.verdict, d.headshot_digest, d.by, d.at) for d in new}

    def _refusal_of(
        self, batch: str, person: str | None, verdict: str, picture: str | None, by: str, sees: bool
    ) -> str | None:
        """Why this is not saved: it is about nobody of the batch or about no picture, or it overrules a colleague whose
        word its author had not seen. Nothing else is a reason."""
        with self.vault.reading() as session:
            seat, known = session.get(Seat, (batch, person)), session.get(Employee, person)
            if person is None or seat is None or known is None or known.state != "active":
                return "not_in_batch"
            if picture is None and verdict in ("approve", "reject"):
                return "unknown_headshot"
            kit = seat.kit or session.get_one(Batch, batch).kit
            said = reviews_of(session, {person: kit})[person].decision
        if not sees or verdict == "undo" or said is None or said.by == by:
            return None
        return "overrules" if overrules(verdict, picture, said.verdict, said.picture) else None

    def new_pictures_are_taken(self, at: int) -> None:
        batch = self.batch(at)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ROLLCALL_HOME", str(self.settings.home))
            ask_again.fn(batch)
        self.company.go_on(batch)

    def delivers(self, at: int, where: str, may_remove: bool) -> None:
        batch = self.batch(at)
        with self.vault.reading() as session:
            own = session.get_one(Batch, batch).kit
        kits = self.company.kits
        order = DeliveryOrder(batch, kits[own], (kit_pack(kits[own]),), "{number}", may_remove, others=kits)
        place = self.home / where
        before = {path for path in place.rglob("*") if path.is_file()} if place.exists() else set()
        lay = json.loads((place / "manifest.json").read_text())["files"] if before else []
        may = who_may_leave(self.vault, batch, self.company.now)
        try:
            with pytest.MonkeyPatch.context() as patch:
                # Certificates are believed by the machine's own clock, whatever day it is in the company.
                patch.setattr(handing_over, "signing_chain", lambda known, now: signing_chain(known, datetime.now(UTC)))
                manifest = hand_over(self.vault, order, lambda: open_destination(str(place)), lambda: self.company.now)
        except (NothingToDeliver, TooManyGo) as refused:
            assert before == ({path for path in place.rglob("*") if path.is_file()} if place.exists() else set())
            if isinstance(refused, NothingToDeliver):
                assert not may, "somebody's picture may leave"
                assert all(may_be_shown(self.company, file["employee"]) for file in lay), "whoever is gone goes"
            return
        if not may:
            lost = [file for file in lay if not (place / file["path"]).exists()]
            assert lost, "nothing was done and nothing said"
            assert not any(may_be_shown(self.company, file["employee"]) for file in lost), "only who is gone goes"
            were_asked_about(self.company, lay, place, batch, may, may_remove)
            return
        assert {file.employee: file.headshot for file in manifest.own} == may, "the newest approved, whichever batch"
        for file in manifest.own:
            is_theirs(self.company, file.employee, file.headshot, place / file.path)
        were_asked_about(self.company, lay, place, batch, may, may_remove)
        listed = json.loads((place / "manifest.json").read_text())["files"]
        for file in listed:  # of this batch nobody stays who may not
            if file["batch"] == batch:
                assert file["employee"] in {one.employee for one in manifest.own} | {
                    one.employee for one in manifest.files
                }

    def a_kit_is_chosen(self, at: int, who: int, kit: str) -> None:
        batch = self.batch(at)
        human = self.company.people[who]
        if human.record:
            try:
                choose_kit(self.vault, batch, {human.record}, kit, KITS, self.company.tick(minutes=5))
            except NotLikeThis:
                pytest.fail("no run is on its way")

    def is_stopped_or_carried_on(self, at: int, stop: bool) -> None:
        batch = self.batch(at)
        (stop_batch if stop else carry_on)(self.vault, batch, "Ada", self.company.tick())

    # what forgets

    def is_held_or_no_longer(self, who: int) -> None:
        human = self.company.people[who]
        if human.record and not human.forgotten:
            human.held = not human.held
            held = [one.record for one in self.company.people if one.held and one.record]
            lines = [f'[[hold]]\nperson = "{one}"\nreason = "a lawsuit"\n' for one in held]
            self.settings.retention_rules.write_text("\n".join(lines))  # type: ignore[union-attr]

    def asks_to_be_forgotten(self, who: int) -> None:
        human = self.company.people[who]
        person = self.company.known(human)
        if person is None or person.state != "active" or human.held:
            return
        self.may_go = True
        self.company.classroom.unfinished.clear()
        receipt = forget(self.vault, person.id, "requested", self.company.tick())
        assert receipt.state in ("provisional", "final"), receipt
        self._is_forgotten(human)

    def the_night_sweep_runs(self, go: bool) -> None:
        self.may_go = True
        self.company.classroom.unfinished.clear()  # what nobody goes on with goes, too
        standing = {one.record for one in self.company.people if one.held}
        try:
            run_retention(self.settings, self.company.tick())
        except MassDeletion as many:
            number = int("".join(sign for sign in str(many).split(" people")[0].split()[-1] if sign.isdigit()) or 0)
            if not go:
                return
            run_retention(self.settings, self.company.tick(), number)
        with self.vault.reading() as session:
            gone = set(session.exec(select(Employee.id).where(Employee.state != "active")).all())
        assert not standing & gone, "a hold holds"
        for human in self.company.people:
            if human.record in gone and not human.forgotten:
                self._is_forgotten(human)

    def a_stretch_of_days_passes(self, stretch: Callable[[Any, int], None], who: int) -> None:
        stretch(self, who)

    # the laws

    @invariant()
    def nothing_goes_but_by_retention(self) -> None:
        if not hasattr(self, "vault"):
            return
        here = {
            key for key in self.vault.blobs.keys("people/") if "/checkpoints/" not in key
        }  # those are work under way
        lost = self.blobs - here
        with self.vault.reading() as session:
            cases = {one.id: one.employee_id for one in session.exec(select(Erasure)) if one.scope != "departing"}
        owners = {key.split("/")[1] for key in lost}
        if lost:
            assert self.may_go, f"{sorted(lost)} went, and nobody was forgotten"
            assert owners <= set(cases.values()), "and without a receipt"
        self.blobs, self.may_go, self.cases = here, False, set(cases)

    @invariant()
    def what_was_saved_is_there(self) -> None:
        if not hasattr(self, "vault"):
            return
        with self.vault.reading() as session:
            rows = {row.id: row for row in session.exec(select(Decision))}
            people = set(session.exec(select(Employee.id).where(Employee.state == "active")).all())
        owners = {human.record for human in self.company.people if not human.forgotten}
        for identity, (person, verdict, picture, by, at) in self.saved.items():
            if person in people:
                row = rows.get(identity)
                assert row is not None, f"{verdict} by {by} is gone"
                assert (row.verdict, row.headshot_digest, row.by, row.at) == (verdict, picture, by, at)
            elif person not in owners and identity in rows:
                # The line in question was found to be somebody: what was said of it is said of them.
                assert rows[identity].employee_id in people, "a decision about nobody"

    @invariant()
    def everybody_has_one_seat(self) -> None:
        if not hasattr(self, "vault"):
            return
        with self.vault.reading() as session:
            seats = session.exec(select(Seat)).all()
            people = set(session.exec(select(Employee.id)).all())
        assert {seat.state for seat in seats} <= set(STATES)
        assert {seat.employee_id for seat in seats} <= people, "a seat of nobody"

    @invariant()
    def who_was_forgotten_is_nowhere(self) -> None:
        if not hasattr(self, "vault"):
            return
        with self.vault.reading() as session:
            gone = set(session.exec(select(Employee.id).where(Employee.state != "active")).all())
            for table in ABOUT_SOMEBODY:
                left = session.exec(select(table).where(col(table.employee_id).in_(gone))).all()
                assert not left, f"{table.__name__} of somebody who was forgotten"
            names = [row.name for row in session.exec(select(Employee).where(Employee.state != "active"))]
        assert not any(names)
        assert not {key for key in self.vault.blobs.keys("people/") if key.split("/")[1] in gone}

    # how the truth is told

    def _recall(self, *people: Human) -> None:
        for human in people:
            human.called.add((human.number, human.name, human.email))
            if human.forgotten:
                continue
            # The register names people by their number of now; lines of before stay as they were handed in.
            human.consents = [[human.number, *line[1:]] for line in human.consents]

    def _is_plain(self, human: Human) -> bool:
        """Whether the records know them by what they are called now, so that no line about them is in question."""
        known = self.company.known(human)
        same = known is not None and (known.number, known.name) == (human.number, human.name)
        alone = sum(human.number in {n for n, *_ in other.called} for other in self.company.people) == 1
        return same and alone and human.listed

    def _human_of(self, said: Employee) -> Human | None:
        number = said.number.partition(" (question ")[0]
        fits = [one for one in self.company.people if (number, said.name, said.email) in one.called]
        return fits[0] if len(fits) == 1 else None

    def _truth(self, question: Question, record: Employee) -> str:
        if question.kind == "not_here":
            human = next((one for one in self.company.people if one.record == record.id), None)
            return LEFT if human is not None and human.status == "Terminated" else LEFT_OUT
        human = self._human_of(record)
        if human is None:
            return MISTAKE
        return ANOTHER if human.record is None or human.forgotten else f"{SAME}{human.record}"

    def _everybody_is_who_they_are(self) -> None:
        """A line that no question was asked about is the record of whom it is about, and of nobody else."""
        upload, seen = self.company.last, set()
        for one in self.company.admitted:
            assert one.employee_id not in seen, "two lines, one seat"
            seen.add(one.employee_id)
            human = self.company.people[dict(upload.people)[(one.row.number, one.row.name, one.row.email)]]
            if one.question is not None or one.consent_code == "forgotten":
                continue
            if human.record is None or human.forgotten:
                assert one.employee_id not in {other.record for other in self.company.people}, "somebody else's record"
                human.record, human.forgotten, human.held = one.employee_id, False, False
            elif self._is_a_stranger(human, one.row):
                human.record, human.held = one.employee_id, False
            assert human.record == one.employee_id, "two records of one person, or one of two"

    def _whoever_is_missing_is_asked_about(self, batch: str) -> None:
        """Left, or left out? Nobody disappears from one roster to the next unsaid."""
        here = {one.employee_id for one in self.company.admitted}.union(*(one.may_be for one in self.company.admitted))
        with self.vault.reading() as session:
            asked = set(session.exec(select(Question.employee_id).where(Question.kind == "not_here")).all())
            for seat in session.exec(select(Seat).where(Seat.batch_id == batch)).all():
                known = session.get_one(Employee, seat.employee_id)
                if known.state == "active" and known.status in ("active", "leave") and known.id not in here:
                    assert known.id in asked, "somebody is not on this roster, and nobody was asked"

    def _is_a_stranger(self, human: Human, row: RosterRow) -> bool:
        """Whose number, name and e-mail all changed since a roster last told of them: nobody could know them again."""
        known = self.called[human.index]
        return known is not None and not {known.number, known.name, known.email} & {row.number, row.name, row.email}

    def _is_forgotten(self, human: Human) -> None:
        human.forgotten, human.held = True, False
        human.consents = [[*line[:2], line[2] or f"{self.company.now:%Y-%m-%d}"] for line in human.consents]


CALM = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def live(days: int, steps: int) -> None:
    """So many companies by seeds of their own. Each is two tries, since the first of any is the plainest: one event,
    again and again. More would be grown from each other, and the records' own ids are new in every try."""
    for number in range(days):
        run_state_machine_as_test(
            seed(number)(AnyOrder),
            _min_steps=steps,  # else the second try is the one that ends at once
            settings=settings(max_examples=2, stateful_step_count=steps, deadline=None, database=None,
                              suppress_health_check=CALM, phases=[Phase.generate]),  # shrinking takes minutes
        )  # fmt: skip


def laws_hold(company: AnyOrder) -> None:
    company.nothing_goes_but_by_retention()
    company.what_was_saved_is_there()
    company.everybody_has_one_seat()
    company.who_was_forgotten_is_nowhere()


@pytest.mark.parametrize("stretch", STRETCHES, ids=lambda one: one.__name__)
def test_a_stretch_of_days_keeps_the_laws(stretch: Callable[[AnyOrder, int], None]) -> None:
    """Each as the first thing that happens to a company."""
    company = AnyOrder()
    company.move_in()
    try:
        laws_hold(company)
        stretch(company, 0)
        laws_hold(company)
    finally:
        company.teardown()


def test_a_few_days_of_a_company() -> None:
    live(1, 15)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_two_thousand_steps() -> None:
    live(25, 40)  # each is two tries
