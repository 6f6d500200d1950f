"""Another language is a folder: whatever page of the desk or of a report is asked for, nothing on it is English.

The language is one that nobody speaks: every letter of every sentence in wide letters, so that a word in plain ones is
a word that did not come out of the table.
"""

from __future__ import annotations

import html
import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reports.site_of_batch import rewrite_report
from tasks.hands import Hands, Job
from tasks.roster.columns import header_score
from tasks.roster.tables import read_tables
from tasks.sentences import ENGLISH, NoSuchLanguage, speak, tell
from tasks.shipped import SHIPPED
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault
from tests.reports.browsing import Open
from tests.reports.conftest import NOON, small
from tests.reports.eventful import BATCH, ONE, eventful, pages
from tests.reports.prefect_stand_in import Prefect, signed_in_desk
from tests.roster.conftest import check
from tests.roster.test_cases import ALL, files

__all__ = ["eventful"]  # a fixture
WIDE = {ord(sign): ord(sign) + 0xFEE0 for sign in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def wide(said: Any) -> Any:
    """The same sentences in wide letters; what is filled in keeps its name."""
    if isinstance(said, dict):
        return {key: wide(one) for key, one in said.items()}
    return "".join(part if part[:1] == "{" else part.translate(WIDE) for part in re.split(r"(\{\w+[^}]*\})", said))


def as_toml(table: dict[str, Any], before: str = "") -> Iterator[str]:
    for key, said in table.items():
        name = f"{before}{json.dumps(key)}"
        if isinstance(said, str):
            yield f"{name} = {json.dumps(said, ensure_ascii=False)}"
        else:
            yield from as_toml(said, f"{name}.")


LATER = NOON + timedelta(hours=2)
DOCUMENTS = "/retention/receipts/"  # signed, byte for byte what the records say: in one language whatever pages speak
FIGURES = re.compile(r"<table class=\"plain\">.*?</table>", re.S)  # as they were measured, under their own names


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The language, as a company would write its own: files of the same names."""
    made = tmp_path_factory.mktemp("wide")
    for path in ENGLISH.glob("*.toml"):
        table = wide(tomllib.loads(path.read_text(encoding="utf-8")))
        (made / path.name).write_text("\n".join(as_toml(table)), encoding="utf-8")
    return made


@pytest.fixture
def spoken(settings: Settings, folder: Path) -> Iterator[Settings]:
    yield settings.model_copy(update={"language": str(folder)})
    speak("en")


HIDDEN = re.compile(r"<(script|style|code)\b.*?</\1>", re.S)
ATTRIBUTES = re.compile(r"(?:aria-label|placeholder|title|alt)=\"([^\"]*)\"")
# What is called so in every language: this product, languages by their own names, units of figures, the base's name, a
# database, a protocol and a class of fault;
# and of this company: who looks, a header and a cell's shape in its roster, and a version.
NAMES = {
    "rollcall", "english", "deutsch", "fran", "ais", "espa", "ita", "stops", "frame", "utc", "torch", "embedded",
    "sqlite", "http", "connecterror", "hannah", "ada", "job", "aaaa", "abc",
}  # fmt: skip


def words(text: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Za-z]{3,}", text)}


def english(page: str, known: set[str]) -> set[str]:
    """The plain words that a page shows or reads out, without those of the company itself."""
    page = re.sub(r"\b(?=\w*\d)[0-9a-f]{6,}\b", "", html.unescape(HIDDEN.sub("", page)))  # ids and fingerprints
    shown = " ".join((*re.split(r"<[^>]*>", page), *ATTRIBUTES.findall(page)))
    return words(shown) - known - NAMES


def of_the_company() -> tuple[set[str], list[str]]:
    """Words that are the company's own (names, titles, kits, packs), and sentences of its records, written before."""
    people = small().people
    own = " ".join(f"{one.name} {one.title} {one.department} {one.email} {one.number} {one.id}" for one in people)
    for folder in ("brand_kits", "tasks/delivery/packs"):
        own += " ".join(path.read_text(encoding="utf-8") for path in (SHIPPED / folder).rglob("*.toml"))
    written = [found.sentence for one in people for photo in one.selfies for found in photo.findings]
    written += [found.sentence for one in people for found in one.findings]
    written += [shot.why for one in people for shot in one.headshots]
    return words(own), sorted({text for text in written if text}, key=len, reverse=True)


def test_no_page_holds_a_word_of_another_language(spoken: Settings, eventful: str, prefect: Prefect) -> None:
    known, written = of_the_company()
    found = {}
    with signed_in_desk(spoken, prefect, LATER, "Hannah") as desk:
        rewrite_report(desk.app.state.vault, BATCH, now=LATER)  # type: ignore[attr-defined]
        for path in pages(eventful):
            if path.startswith(DOCUMENTS):
                continue
            page = html.unescape(desk.get(path).text)
            for text in written:
                page = page.replace(text, "")
            raw = FIGURES.sub("", page)
            if left := english(raw, known):
                found[path] = sorted(left)
    assert found == {}


@pytest.mark.parametrize("case", ALL)
def test_no_check_of_a_roster_holds_one(case: str, folder: Path) -> None:
    """What is said of every roster and register among the cases, with the cells that are quoted taken out."""
    roster, consents = files(case)
    own = set().union(*(cell_words(path) for path in (roster, consents) if path is not None))
    speak(str(folder))
    try:
        report = check(roster, consents)
        said = [*report.lines(), *(found.sentence for person in report.people for found in person.findings)]
    finally:
        speak("en")
    register = report.consents.understood.mapping if report.consents.understood else {}
    codes = [
        *report.roster.understood.mapping,
        *register,
        *(f.code for person in report.people for f in person.findings),
    ]
    codes += [person.reason or "" for person in report.people]  # beside their sentences, and our names of columns
    assert words(" ".join(said)) - own - words(" ".join(codes)) - NAMES == set()


def cell_words(path: Path) -> set[str]:
    """Every word that stands in a table of the cases, with the names of its sheets."""
    tables = read_tables(path.read_bytes(), path.name, None, header_score)
    sheets = [name for name, _ in tables.not_read]
    found = words(" ".join([*sheets, *(f"{grid.sheet} {grid.kind} {grid.encoding}" for grid in tables.grids)]))
    return found.union(*(words(" ".join(row)) for grid in tables.grids for row in grid.rows))


def test_what_a_child_says_of_a_file_is_in_the_language_of_who_asked(folder: Path) -> None:
    with closing(Hands(2)) as hands:
        jobs = [("", Job(b"seen.no_colour", {}))]
        speak(str(folder))
        try:
            ((_, said),) = hands.each("tests.sandbox_openers:told", jobs, lambda _, opened: opened.value)
        finally:
            speak("en")
        ((_, after),) = hands.each("tests.sandbox_openers:told", jobs, lambda _, opened: opened.value)
    assert (words(said), after) == (set(), "The photo is black and white.")


def test_what_is_not_in_the_language_is_found() -> None:
    assert english('<p title="A face">ｎｏ</p><b>Somebody &amp; Noah</b>', {"noah"}) == {"face", "somebody"}


def test_a_language_may_leave_things_out_and_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text('[nav]\nhome = "Start"\n', encoding="utf-8")
    try:
        speak(str(tmp_path))
        assert (tell("nav.home"), tell("nav.people")) == ("Start", "People")
    finally:
        speak("en")
    assert tell("nav.home") == "Home"
    with pytest.raises(NoSuchLanguage, match="en"):
        speak("xx")


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("path", ["index.html", f"people/{ONE}.html"])
def test_scripts_speak_it_too(browse: Open, spoken: Settings, path: str) -> None:
    """From a folder, as a copy that was sent: what scripts write is written from the same table."""
    known, written = of_the_company()
    with open_vault(spoken) as opened:
        site = rewrite_report(opened, BATCH, now=LATER)
    page = browse((site.parent / path).as_uri())
    page.wait_for_selector(".chip:not(:empty)")
    if path == "index.html":
        page.keyboard.press("j")  # to the first person; on a person's own page it leads to the next one's
    page.keyboard.press("a")
    page.wait_for_selector("#toast:not(:empty)", state="attached")  # a script of ours would need leave to evaluate text
    shown = page.evaluate("document.body.innerText")
    for text in written:
        shown = shown.replace(text, "")
    assert english(shown, known) == set()
