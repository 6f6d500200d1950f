"""Every sentence of the desk's pages stands in one file, and what pages ask for is there."""

import re
from pathlib import Path

import pytest

from reports.navigation import NAVIGATION
from reports.picture_words import FLAGS
from reports.runs import DEPLOYMENTS
from reports.sentences import NoSentence, sentences, tell
from reports.site import write_site
from reports.words import CODES
from tasks.adapters.costs import QUALITIES
from tasks.retention.calendar import EVERYTHING, KINDS
from tasks.retention.holds import REASONS
from tasks.roster.by_hand import EVIDENCE
from tests.reports.conftest import company

REPORTS = Path(__file__).parents[2] / "reports"


def asked() -> set[str]:
    """Every key that a template or module asks for by its name."""
    found = {f"nav.{place.key}" for place in NAVIGATION}
    for path in (*REPORTS.glob("templates/*.html"), *REPORTS.glob("*.py")):
        found |= set(re.findall(r"""\btell\(\s*["']([a-z_]+\.[a-z0-9_]+)["']""", path.read_text(encoding="utf-8")))
    return found


def test_what_pages_ask_for_is_written() -> None:
    whole = {key for key in asked() if not key.endswith("_")}
    assert whole - set(sentences()) == set()
    for beginning in asked() - whole:  # the rest is a code
        assert any(key.startswith(beginning) for key in sentences()), beginning


BETWEEN = re.compile(
    r"\{% block body_class %\}.*?\{% endblock %\}|\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->|<style>.*?</style>", re.S
)
SAID = re.compile(r"(?:aria-label|placeholder|title|alt)=\"([^\"]*)\"")
ANSWERS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.S)
NO_SENTENCES = {"Rollcall", "· Rollcall", "English", "Deutsch", "Français", "Español"}  # names


def outside(template: str) -> set[str]:
    """What of a template's text and of its expressions' literals reads like words of a language."""
    text = BETWEEN.sub("", template)
    words = {word.strip() for word in (*re.split(r"<[^>]*>", text), *SAID.findall(text))}
    literals = {one for said in ANSWERS.findall(template) for one in re.findall(r"[\"']([^\"']*)[\"']", said)}
    words |= {one for one in literals if re.search(r"[A-Z][a-z]+ [a-z]|^[A-Z][a-z]{2,}|[a-z] [a-z]+ [a-z]", one)}
    return {word for word in words if re.search(r"[A-Za-z]{2}", word)} - NO_SENTENCES


@pytest.mark.parametrize("path", sorted(REPORTS.glob("templates/*.html")), ids=lambda path: path.stem)
def test_no_template_holds_a_sentence_of_its_own(path: Path) -> None:
    assert outside(path.read_text(encoding="utf-8")) == set()


def test_what_stands_outside_the_file_is_found() -> None:
    assert outside("<p>Hello there {{ name }}</p>") == {"Hello there"}
    assert outside('<img alt="A face">') == {"A face"}
    assert outside("{{ 'Nobody is here' if x else y }}") == {"Nobody is here"}
    assert outside('<p class="lead">{{ tell("home.title") }}</p>{# a remark #}') == set()


JARGON = re.compile(r"ΔE|\bITA\b|[Cc]ohort|\bLoRA\b|[Dd]igest|[Ff]ine-tun|adapter|latent|embedding|checkpoint")


def test_hrs_sentences_are_in_hrs_words() -> None:
    forms = [form for said in sentences().values() for form in ([said] if isinstance(said, str) else said.values())]
    codes = [text for table in (CODES, FLAGS) for words in table.values() for text in vars(words).values()]
    assert [form for form in (*forms, *codes) if JARGON.search(form)] == []


def test_no_page_of_hrs_shows_jargon_before_a_click(tmp_path: Path) -> None:
    """Figures stand behind "How this was measured": what is folded away is taken out before looking."""
    write_site(company(12), tmp_path)
    for path in sorted(tmp_path.rglob("*.html")):
        text = re.sub(
            r"<details>.*?</details>|<script.*?</script>|<footer.*?</footer>", "", path.read_text("utf-8"), flags=re.S
        )
        shown = re.sub(r"<[^>]*>", " ", text)
        assert JARGON.findall(shown) == [], path.name


def test_every_code_that_is_said_by_a_key_has_its_sentence() -> None:
    codes = {
        "hold.": REASONS, "people.evidence_": EVIDENCE, "people.consent_": ("given", "withdrawn", "none"),
        "goes.why_": ("withdrawn", "left", "requested"), "quality.": QUALITIES, "start.": QUALITIES,
        "goes.": (EVERYTHING, *KINDS.values()), "run.": DEPLOYMENTS,
    }  # fmt: skip
    for beginning, ends in codes.items():
        assert {beginning + end for end in ends} - set(sentences()) == set()


def test_one_and_many_are_told_apart_and_numbers_are_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = {"home.people": {"one": "{n} person in {kit}", "many": "{n} people in {kit}"}}
    monkeypatch.setattr("reports.sentences.sentences", lambda: forms)
    assert tell("home.people", 1, kit="Northwind") == "1 person in Northwind"
    assert tell("home.people", 2000, kit="Northwind") == "2,000 people in Northwind"


def test_a_sentence_that_nobody_wrote_is_a_defect() -> None:
    with pytest.raises(NoSentence):
        tell("home.nothing_of_the_kind")
