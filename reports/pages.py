"""From what is known to what is shown: pure page models, one per page, with every word already chosen.

Nothing here touches files, records or HTML. A template only lays out what stands in these values, so what a page says
can be tested without rendering it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from reports.data import BatchRow, DecisionRow, FindingRow, HeadshotRow, PersonRow, ReportData
from reports.phrases import duration, label, plain, state_name, wish_name
from reports.scores import ScoreLine, raw_lines, score_lines
from reports.words import Words, say, say_flag
from tasks.sentences import say_date, tell, tell_if_known


@dataclass(frozen=True)
class Shown:
    """A picture that lies in the site: its path from the site's root, and its size in pixels."""

    src: str
    width: int
    height: int


@dataclass(frozen=True)
class PersonPictures:
    """What could be written for one person; empty when they may not be shown."""

    large: Mapping[str, Shown]  # by headshot digest
    thumbs: Mapping[str, Shown]
    selfies: Mapping[str, Shown]  # by selfie digest


NO_PICTURES = PersonPictures({}, {}, {})


@dataclass(frozen=True)
class Problem:
    """A finding in words, with its fix. `sentence` speaks to HR; `file` is the photo's, where it may be named."""

    code: str
    words: Words
    measured: str
    limit: str
    sentence: str
    severity: str
    file: str = ""

    @property
    def details(self) -> str:
        """What was measured: for whoever wants to check the words, and nothing that anybody has to read."""
        if not self.measured:
            return ""
        known = {"measured": self.measured, "limit": self.limit}
        return tell("person.measured_against" if self.limit else "person.measured_only", **known)


@dataclass(frozen=True)
class CandidateView:
    digest: str
    rank: int
    chosen: bool
    state: str
    why: str
    lane: str
    fresh: bool  # of the newest round that was asked for, while older ones are shown beside it
    picture: Shown
    thumb: Shown
    scores: tuple[ScoreLine, ...]
    raw: tuple[tuple[str, str], ...]
    flags: tuple[Problem, ...]


@dataclass(frozen=True)
class SelfieView:
    picture: Shown | None
    accepted: bool
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class PersonPage:
    id: str
    person: PersonRow
    state: str
    state_name: str
    reason: Problem | None
    problems: tuple[Problem, ...]
    candidates: tuple[CandidateView, ...]
    selfies: tuple[SelfieView, ...]
    history: tuple[tuple[str, str, str, str], ...]  # when, who, what, note
    facts: tuple[tuple[str, str], ...]
    learned: tuple[tuple[str, str], ...]
    before: str | None
    after: str | None
    newest: str


def findings(rows: Sequence[FindingRow]) -> tuple[Problem, ...]:
    return tuple(Problem(f.code, say(f.code), f.measured, f.limit, f.sentence, f.severity) for f in rows)


def flags(shot: HeadshotRow) -> tuple[Problem, ...]:
    """A picture's flags in words, with what was measured where it is known."""
    given = shot.scores.get("flags", ())
    known = {str(one.get("code")): one for one in given if isinstance(one, Mapping)}
    return tuple(
        Problem(
            code,
            say_flag(code),
            plain(known[code]["measured"]) if "measured" in known.get(code, {}) else "",
            plain(known[code]["limit"]) if "limit" in known.get(code, {}) else "",
            str(known.get(code, {}).get("sentence", "")),
            "warn",
        )
        for code in shot.flags
    )


def reason_words(person: PersonRow) -> Words | None:
    """Why somebody stands where they stand. The same code can speak of a photo or of a finished picture."""
    if person.reason is None:
        return None
    return say_flag(person.reason) if person.state in {"flagged", "done", "rendered"} else say(person.reason)


def in_order(person: PersonRow) -> tuple[HeadshotRow, ...]:
    """Candidates as a reviewer wants them: the proposed one first, retired ones not at all."""
    alive = [shot for shot in person.headshots if shot.state != "retired"]
    return tuple(sorted(alive, key=lambda s: (s.choice is None, s.choice or 0, s.shot, s.digest)))


def newest(person: PersonRow) -> datetime | None:
    """When the latest candidate was made: a redo asked before that has been answered."""
    made = [shot.created_at for shot in person.headshots if shot.created_at and shot.state != "retired"]
    return max(made, default=None)


def review_state(person: PersonRow) -> str:
    """One word for where this person stands: what the decisions come to, and else the seat and the pictures."""
    return person.review.state if person.review.state != "undecided" else undecided_state(person)


def undecided_state(person: PersonRow) -> str:
    """Where this person stands while nobody has decided anything that counts."""
    if person.state in {"blocked", "failed"}:
        return person.state
    shots = in_order(person)
    if person.state == "flagged" or (shots and shots[0].flags):
        return "attention"
    if shots:
        return "review"
    return "failed" if person.state == "done" else "waiting"


def problem_codes(person: PersonRow) -> tuple[str, ...]:
    """Every code this person can be found by: reason, findings on them and their photos, flags of the first picture."""
    codes = [person.reason] if person.reason else []
    codes += [finding.code for finding in person.findings]
    codes += [finding.code for selfie in person.selfies for finding in selfie.findings]
    codes += [code for shot in in_order(person)[:1] for code in shot.flags]
    return tuple(dict.fromkeys(codes))


def problem_names(data: ReportData) -> dict[str, str]:
    """The names of all problems that somebody in the batch can be found by, in the order of the alphabet."""
    flagged = {code for person in data.people for shot in in_order(person)[:1] for code in shot.flags}
    codes = {code for person in data.people for code in problem_codes(person)}
    names = {code: (say_flag(code) if code in flagged else say(code)).name for code in codes}
    return dict(sorted(names.items(), key=lambda item: item[1]))


def wall_rows(data: ReportData, pictures: Mapping[str, PersonPictures]) -> list[dict[str, Any]]:
    """The wall's data, one small record per person: 2,000 of them are what one page can carry."""
    rows = []
    for person in sorted(data.people, key=lambda p: p.position):
        shown = pictures.get(person.id, NO_PICTURES)
        first = next((shot for shot in in_order(person) if shot.digest in shown.thumbs), None)
        thumb = shown.thumbs[first.digest] if first else None
        latest = newest(person)
        reason, flagged = reason_words(person), first.flags if first else ()
        note = reason.name if reason else say_flag(flagged[0]).name if flagged else ""
        rows.append({
            "id": person.id, "name": person.name, "title": person.title, "department": person.department,
            "number": person.number, "state": review_state(person), "base": undecided_state(person),
            "problems": list(problem_codes(person)), "note": note, "thumb": asdict(thumb) if thumb else None,
            "headshot": first.digest if first else None, "lane": first.lane if first else None,
            "clear": bool(first) and not (flagged or reason or person.findings or person.state == "flagged"),
            "likeness": _likeness(first), "newest": latest.isoformat() if latest else "",
            **({"kit": person.kit} if person.kit else {}),
        })  # fmt: skip
    return rows


URGENT = ("attention", "redo", "rejected", "failed", "review", "waiting", "blocked", "opted_out", "approved")


def first_seen(rows: Sequence[Mapping[str, Any]], number: int) -> list[Mapping[str, Any]]:
    """Whom the wall shows first: in the order of its script, so that their pictures are there before it has run."""
    shown = sorted(rows, key=lambda row: (URGENT.index(row["state"]), row["name"].casefold()))
    return shown[:number]


def _likeness(shot: HeadshotRow | None) -> float | None:
    value = None if shot is None else shot.scores.get("probability", shot.scores.get("likeness"))
    return round(float(value), 4) if isinstance(value, int | float) else None


def person_page(data: ReportData, index: int, pictures: PersonPictures) -> PersonPage:
    """Everything on one person's page; `index` is their place in the wall's order, for the neighbours."""
    person = data.people[index]
    shots = [shot for shot in in_order(person) if shot.digest in pictures.large]
    rounds = {shot.round for shot in shots}
    fresh = max(rounds) if len(rounds) > 1 else None
    candidates = tuple(_candidate(shot, place, pictures, fresh) for place, shot in enumerate(shots, start=1))
    selfies = tuple(
        SelfieView(pictures.selfies.get(s.digest), s.accepted, findings(s.findings)) for s in person.selfies
    )
    state, latest, words = review_state(person), newest(person), reason_words(person)
    return PersonPage(
        id=person.id,
        person=person,
        state=state,
        state_name=state_name(state),
        reason=Problem(person.reason or "", words, "", "", "", "warn") if words else None,
        problems=tuple(p for p in findings(person.findings) if p.code != person.reason),
        candidates=candidates,
        selfies=selfies,
        history=tuple((say_time(d.at), d.by, say_verdict(d), d.note) for d in reversed(person.decisions)),
        facts=_person_facts(person),
        learned=_learned_facts(person),
        before=data.people[index - 1].id if index > 0 else None,
        after=data.people[index + 1].id if index + 1 < len(data.people) else None,
        newest=latest.isoformat() if latest else "",
    )


def say_verdict(decision: DecisionRow) -> str:
    """What was decided, and for a redo what was asked for with it."""
    said = tell_if_known(f"verdict.{decision.verdict}", tell("verdict.undo"))
    asked = ", ".join(wish_name(reason).split(":")[0].lower() for reason in decision.reasons)
    return f"{said} ({asked})" if asked else said


def _candidate(shot: HeadshotRow, rank: int, pictures: PersonPictures, fresh: int | None) -> CandidateView:
    return CandidateView(
        digest=shot.digest,
        rank=rank,
        chosen=shot.choice == 1,
        state=shot.state,
        why=shot.why,
        lane=shot.lane,
        fresh=shot.round == fresh,
        picture=pictures.large[shot.digest],
        thumb=pictures.thumbs[shot.digest],
        scores=score_lines(shot.scores, shot.flags),
        raw=(*raw_lines(shot.scores), ("seed", str(shot.seed)), ("shot", str(shot.shot)), ("digest", shot.digest[:12])),
        flags=flags(shot),
    )


def _person_facts(person: PersonRow) -> tuple[tuple[str, str], ...]:
    facts = [(tell("fact.number"), person.number), (tell("fact.photos"), str(len(person.selfies)))]
    if person.cause:
        facts.insert(0, (tell("fact.cause"), plain(person.cause)))
    facts.append((tell("fact.photos_used"), str(sum(selfie.accepted for selfie in person.selfies))))
    return tuple(facts)


def _learned_facts(person: PersonRow) -> tuple[tuple[str, str], ...]:
    """How the face was learned, in figures: behind a click, for whoever asks."""
    facts = []
    if person.cohort is not None:
        facts.append((tell("fact.group"), str(person.cohort + 1)))
    if person.adapter is not None:
        plan = "fact.steps_few" if person.adapter.few_photos else "fact.steps"
        took = duration(person.adapter.seconds)
        facts += [(tell("fact.learned"), tell(plan, steps=person.adapter.steps, seconds=took))]
    return tuple(facts)


@dataclass(frozen=True)
class BlockedGroup:
    """People who wait for the same thing."""

    code: str
    words: Words
    people: tuple[tuple[PersonRow, tuple[Problem, ...]], ...]


def blocked_groups(data: ReportData) -> tuple[BlockedGroup, ...]:
    """Everybody without a picture, by reason, the largest group first."""
    groups: dict[str, list[PersonRow]] = {}
    for person in data.people:
        if person.state in {"blocked", "failed"}:
            groups.setdefault(person.reason or person.state, []).append(person)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(
        BlockedGroup(code, say(code), tuple((p, _details(p, code)) for p in sorted(people, key=lambda p: p.name)))
        for code, people in ordered
    )


def _details(person: PersonRow, code: str) -> tuple[Problem, ...]:
    """What was found on a blocked person and their photos, once per code."""
    rows = [*person.findings, *(f for selfie in person.selfies for f in selfie.findings)]
    once = {finding.code: finding for finding in reversed(rows)}
    return findings([finding for finding in reversed(once.values()) if finding.code != code or finding.sentence])


@dataclass(frozen=True)
class FileProblem:
    """One thing found while reading the roster or sorting the photos; the value itself is never repeated."""

    row: str
    column: str
    name: str
    shape: str
    fix: str


def file_problems(batch: BatchRow) -> tuple[FileProblem, ...]:
    return tuple(
        FileProblem(
            row=plain(row.get("row")),
            column=plain(row.get("column")),
            name=say(str(row.get("code", ""))).name,
            shape=plain(row.get("shape", row.get("measured"))),
            fix=str(row.get("fix") or say(str(row.get("code", ""))).fix),
        )
        for row in batch.problems
    )


def run_facts(batch: BatchRow) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """The run in groups of facts: what it was asked for, what it ran on, how long each part took."""
    asked = [
        (label("kit"), batch.kit_title or batch.kit),
        (label("quality"), tell_if_known(f"quality.{batch.quality}", batch.quality)),
        (label("base"), batch.base),
    ]
    asked += [(label("started_at"), say_time(batch.created_at)), (label("batch"), batch.id)]
    groups: list[tuple[str, tuple[tuple[str, str], ...]]] = []
    for key, value in batch.facts.items():
        if key in {"team", "people", "delivered", "delivery_asks"} or value in (None, "", {}, []):
            continue
        if isinstance(value, Mapping):
            seconds = key in {"seconds", "times"}
            groups.append((label(key), tuple((label(k), _fact(v, seconds)) for k, v in value.items())))
        elif key == "seconds" and isinstance(value, int | float):
            asked.append((label(key), duration(value)))
        else:
            asked.append((label(key), _moment(value) if key.endswith("_at") else plain(value)))
    return ((tell("fact.this_run"), tuple(asked)), *groups)


def _fact(value: Any, seconds: bool) -> str:
    return duration(value) if seconds and isinstance(value, int | float) else plain(value)


def _moment(value: Any) -> str:
    try:
        return say_time(datetime.fromisoformat(str(value)).astimezone(UTC))
    except ValueError:
        return plain(value)


def say_time(moment: datetime) -> str:
    """A moment as written on the pages: 23 November 2026, 14:05 UTC."""
    return tell("when.moment", day=say_date(moment), clock=f"{moment:%H:%M}")


def initials(name: str) -> str:
    """Up to two letters for a tile without a picture."""
    parts = [part for part in name.split() if part[:1].isalpha()]
    return "".join(part[0] for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts)).upper() or "·"
