"""What pages say, before any HTML: where a person stands, which words a code gets, how numbers read."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reports import pages
from reports.consistency import consistency
from reports.data import DecisionRow, PersonRow
from reports.delivered import deliveries
from reports.phrases import duration, plain
from reports.scores import raw_lines, score_lines
from reports.words import say, say_flag
from tasks.headshots.wishes import REASONS as WISHES
from tasks.likeness.together import judged_by
from tasks.sentences import names
from tests.reports.conftest import NOON, TEAM, blocked, company, person, shots

FINDINGS = [
    "no_consent", "consent_withdrawn", "consent_other_purpose", "no_photos", "too_few_photos", "no_face",
    "several_faces", "blurred", "dark", "overexposed", "sunglasses", "near_duplicate", "other_person",
    "same_face_two_names", "small_face", "turned_away", "truncated", "not_a_picture", "too_large", "animated",
    "unopenable", "video",
    "not_on_roster", "ambiguous_photo", "left_company", "on_leave", "opted_out", "duplicate_id", "bad_email",
    "missing_name", "formula_cell",
]  # fmt: skip


@pytest.mark.parametrize("code", FINDINGS)
def test_every_finding_has_a_name_a_meaning_and_a_fix(code: str) -> None:
    words = say(code)
    assert words.name
    assert words.meaning.endswith(".")
    assert words.fix.endswith(".")


def test_every_flag_the_judge_can_raise_has_words() -> None:
    room = Path(__file__).parents[2] / "tasks"
    raised = set()
    for source in (*room.glob("likeness/*.py"), *room.glob("headshots/*.py")):
        raised |= set(re.findall(r'Flag\(\s*"([a-z_]+)"', source.read_text()))
    assert raised
    assert raised <= set(names("flag"))


def test_an_unknown_code_is_shown_readably() -> None:
    assert say("lens_cap_on").name == "Lens cap on"
    assert say_flag("lens_cap_on").fix


def test_the_same_code_speaks_of_a_photo_or_of_a_picture() -> None:
    waiting = blocked(1, "no_face")
    flagged = person(1, state="flagged", reason="no_face")
    assert pages.reason_words(waiting) == say("no_face")
    assert pages.reason_words(flagged) == say_flag("no_face") != say("no_face")


def decided(verdict: str, minutes: int = 0, headshot: str | None = None) -> DecisionRow:
    return DecisionRow(verdict, "Ada", NOON + timedelta(minutes=minutes), headshot)


@pytest.mark.parametrize(
    ("one", "state"),
    [
        (person(1), "review"),
        (person(1, headshots=shots(1, 2, flags=("halo",))), "attention"),
        (person(1, state="flagged", reason="margin"), "attention"),
        (person(1, decisions=(decided("approve", 0, shots(1, 2)[0].digest),)), "approved"),
        (person(1, decisions=(decided("reject"),)), "rejected"),
        (person(1, decisions=(decided("redo"),)), "redo"),
        (person(1, decisions=(decided("redo"), decided("undo", 1))), "review"),
        (person(1, decisions=(decided("redo"), decided("opt_out", 1), decided("undo", 2))), "redo"),
        (person(1, decisions=(decided("redo", -60),)), "review"),  # newer pictures have answered it
        (person(1, decisions=(decided("opt_out", -60),)), "opted_out"),
        (blocked(1, "no_consent"), "blocked"),
        (person(1, state="failed", headshots=()), "failed"),
        (person(1, state="trained", headshots=()), "waiting"),
        (person(1, state="done", headshots=()), "failed"),  # done without a picture cannot be
    ],
)
def test_where_a_person_stands(one: PersonRow, state: str) -> None:
    assert pages.review_state(one) == state


def test_everybody_is_on_the_wall_once() -> None:
    data = company(48)
    rows = pages.wall_rows(data, {})
    assert [row["id"] for row in rows] == [one.id for one in data.people]


def test_left_out_people_are_grouped_by_reason_and_nobody_is_missing() -> None:
    data = company(48)
    groups = pages.blocked_groups(data)
    assert sum(len(group.people) for group in groups) == sum(one.state in {"blocked", "failed"} for one in data.people)
    assert [len(group.people) for group in groups] == sorted((len(group.people) for group in groups), reverse=True)


def test_the_proposed_picture_comes_first_and_retired_ones_not_at_all() -> None:
    one, two, three, four = shots(1, 4)
    someone = person(1, headshots=(replace(two, choice=None), replace(three, state="retired"), four, one))
    assert [shot.digest for shot in pages.in_order(someone)] == [one.digest, four.digest, two.digest]


def test_scores_read_as_words_with_their_numbers() -> None:
    lines = {line.key: line for line in score_lines(shots(1, 1)[0].scores, ())}
    assert (lines["probability"].word, lines["probability"].number) == ("Yes, clearly", "99%")
    assert lines["rank"].word == "Nobody is more alike"
    assert lines["texture"].word == "Kept"
    assert lines["holes"].share == 98
    assert score_lines({"relative": 1.08}, ())[0].number == "100%"  # nobody is more alike than with themselves


FLAGGED = {
    "likeness": {"probability"},
    "likeness_unsure": {"probability"},
    "relative_likeness": {"relative"},
    "wrong_person": {"rank", "margin"},
    "margin": {"margin"},
    "copied": {"copied"},
    "background": {"background"},
    "halo": {"halo"},
    "holes": {"holes"},
    "smoothed": {"texture"},
    "roughened": {"texture"},
    "skin_tone": {"skin"},
}
WORST = {
    "probability": 0.01, "relative": 0.1, "rank": 9, "margin": -0.4, "copied": True, "background": 30.0, "halo": 30.0,
    "holes": 0.4, "skin": 59.0, "faithfulness": {"texture_ratio": 0.1, "skin_shift": 59.0, "skin_limit": 12.0},
}  # fmt: skip


@pytest.mark.parametrize("code", FLAGGED)
def test_what_is_flagged_is_red_and_what_is_red_is_flagged(code: str) -> None:
    """One limit: the flag's. Whatever the numbers are, a page says what the judge says."""
    for scores in (WORST, shots(1, 1)[0].scores | {"faithfulness": {"texture_ratio": 1.0, "skin_limit": 12.0}}):
        red = {line.key for line in score_lines(scores, {code, "eye_line"}) if line.tone == "poor"}
        assert red == FLAGGED[code]
    assert {line.tone for line in score_lines(WORST, ())} <= {"good", "fair", "quiet"}


def test_skin_is_judged_by_the_limit_that_flags() -> None:
    """8.8 degrees was red on one page and fine on another: where the limit is 12, it is kept, and says within what."""

    def skin(shift: float, limit: float | None, *flags: str) -> tuple[str, str, str]:
        found = {"skin_shift": shift, "skin_limit": limit}
        line = next(one for one in score_lines({"skin": abs(shift), "faithfulness": found}, flags) if one.key == "skin")
        return line.word, line.number, line.tone

    assert skin(8.8, 12.0) == ("Kept", "8.8° ITA, up to 12° is chance", "good")
    assert skin(13.0, 12.0, "skin_tone") == ("Lighter", "13.0° ITA, up to 12° is chance", "poor")
    assert skin(-13.0, 12.0, "skin_tone") == ("Darker", "13.0° ITA, up to 12° is chance", "poor")
    assert skin(57.2, None) == ("Not judged", "57.2° ITA", "quiet")


def test_a_real_photograph_may_be_one_of_their_own() -> None:
    assert score_lines({"copied": True}, ())[0].tone == "quiet"


def test_scores_that_were_not_measured_are_left_out() -> None:
    assert score_lines({"skin": None, "relative": None, "faithfulness": {"texture_ratio": None}, "future": 3}, ()) == ()
    assert ("future", "3") in raw_lines({"future": 3})


def test_consistency_names_the_measure_that_fails_and_who_stands_out() -> None:
    table = consistency(company(10))
    assert table is not None
    assert table.sentence == "9 of 10 measures are within their targets."
    assert [line.name for line in table.lines if not line.met] == ["Light from left to right"]
    assert table.outliers == ((f"p{3:015x}", "Jonas Chen", "Light from left to right 0.9 (limit 0.5)"),)
    assert [line.shift for line in table.skin] == ["0.8° ITA lighter", "unchanged"]
    assert [line.word for line in table.skin] == ["A shade lighter", "Unchanged"], "within the target"


def test_skin_that_moved_counts_among_the_measures() -> None:
    """ "All measures are within their targets" stood above a line on skin that was not."""
    data = company(10)
    team = {**TEAM, "rows": [row for row in TEAM["rows"] if row["met"]]}
    whole = consistency(replace(data, batch=replace(data.batch, facts={"team": team})))
    assert whole is not None
    assert (whole.met, whole.sentence) == (True, "One studio, one day: all 9 measures are within their targets.")
    darker = [{"group": "darkest third", "people": 7, "shift": 57.2, "within_target": False}, TEAM["bias"][0]]
    moved = consistency(replace(data, batch=replace(data.batch, facts={"team": {**team, "bias": darker}})))
    assert moved is not None
    assert (moved.met, moved.sentence) == (False, "8 of 9 measures are within their targets.")
    assert [line.word for line in moved.skin] == ["Lighter", "A shade lighter"]


def test_a_batch_without_measures_says_so() -> None:
    data = company(2)
    assert consistency(replace(data, batch=replace(data.batch, facts={}))) is None
    assert consistency(replace(data, batch=replace(data.batch, facts={"team": {"people": 0, "rows": []}}))) is None


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (True, "yes"), (0.123456, "0.123"), (1234.5, "1234"), ([1, "a"], "1, a")]
)
def test_values_are_plain(value: object, text: str) -> None:
    assert plain(value) == text


def test_durations_are_said_as_people_do() -> None:
    assert [duration(s) for s in (0.2, 42, 600, 9000)] == ["under a second", "42 s", "10 min", "2.5 h"]


def test_a_delivery_says_whose_picture_is_new_changed_or_gone() -> None:
    """ "18 files were taken away" named nobody."""
    data = company(3)
    at = NOON.isoformat()
    made = {"at": at, "to": "folder", "people": 2, "files": 12, "new": [[data.people[0].id, ""]], "changed": [],
            "removed": [[data.people[1].id, "consent_withdrawn"], ["p999", "left_company"]]}  # fmt: skip
    asks = {"at": at, "new": [], "changed": [], "removed": [[data.people[2].id, "not_approved"]]}
    facts = {"delivered": made, "delivery_asks": asks}
    waiting, last = deliveries(replace(data, batch=replace(data.batch, facts=facts)))
    assert waiting.asks
    assert [(one.title, one.people) for one in waiting.lists] == [
        ("Would be taken away", ((data.people[2].id, data.people[2].name, "no approved picture"),))
    ]
    assert last.sentence == "2 people in 12 files, to a folder."
    assert [(one.title, [why for *_, why in one.people], one.others) for one in last.lists] == [
        ("New", [""], 0), ("Taken away", ["consent withdrawn"], 1)
    ]  # fmt: skip
    assert deliveries(replace(data, batch=replace(data.batch, facts={"delivery_asks": {}}))) == ()
    shown = dict(pages.run_facts(replace(data.batch, facts=facts)))
    assert set(shown) == {"This run"}  # no list of ids among the facts


def test_the_runs_page_says_whether_the_network_that_chose_photos_judges_them_as_well() -> None:
    """Whoever chose the photos by a network cannot be contradicted by it."""
    said = []
    for judge in ("chooser", "another"):
        batch = replace(company(1).batch, facts={"judges": judged_by("chooser", judge)})
        said.append(dict(dict(pages.run_facts(batch))["This run"])["Likeness is judged by"])
    assert "a second encoder is not installed" in said[0]
    assert said[1] == "another network than the one that chose photos"


def test_new_pictures_are_told_from_old_ones_and_a_redo_says_what_was_asked() -> None:
    one, two = shots(1, 2)
    someone = person(1, headshots=(one, replace(two, round=1)), decisions=(
        DecisionRow("redo", "Ada", NOON, one.digest, "", ("clothes", "not_like_them")),
    ))  # fmt: skip
    shown = {shot.digest: pages.Shown("x", 1, 1) for shot in (one, two)}
    page = pages.person_page(replace(company(1), people=(someone,)), 0, pages.PersonPictures(shown, shown, {}))
    assert [candidate.fresh for candidate in page.candidates] == [False, True]
    assert page.history[0][2] == "Redo asked (other clothes, not like them)"
    first = replace(someone, headshots=(one, two))
    page = pages.person_page(replace(company(1), people=(first,)), 0, pages.PersonPictures(shown, shown, {}))
    assert not any(candidate.fresh for candidate in page.candidates)  # nothing is new where there is one round only


def test_every_reason_of_a_redo_has_words() -> None:
    assert set(names("wish")) == set(WISHES)
