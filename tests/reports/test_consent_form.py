"""The form that people are asked with: in four languages, with the durations that are really carried out."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from reports.consent_form import LANGUAGES, consent_form, text_version
from tasks.retention.rules import Rules, load_rules
from tasks.roster.answers import read_answer
from tasks.roster.consents import read_consents


def own_rules(tmp_path: Path, text: str) -> Rules:
    (tmp_path / "rules.toml").write_text(text, encoding="utf-8")
    return load_rules(tmp_path / "rules.toml")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("4 days after your picture", "10 weeks at the latest", "at any time", "made by AI", "no disadvantage")),
        ("de", ("4 Tage nach der Freigabe", "höchstens 10 Wochen", "jederzeit", "von KI gemacht", "keinen Nachteil")),
        ("fr", ("4 jours après", "10 semaines au plus tard", "à tout moment", "faite par une IA", "aucun désavantage")),
        (
            "es",
            ("4 días después", "10 semanas como máximo", "cualquier momento", "hecha por IA", "ninguna desventaja"),
        ),
    ],
)
def test_it_says_what_happens_in_each_language(tmp_path: Path, language: str, said: tuple[str, ...]) -> None:
    keep = '[keep]\nselfies_after_approval = "4 days"\nselfies_at_latest = "70 days"\n'
    company = '[company]\nname = "Ostwind & Söhne"\ncontact = "hr@ostwind.example"\n'
    page = consent_form(own_rules(tmp_path, company + keep), language)
    assert all(words in page for words in said), [words for words in said if words not in page]
    assert "Ostwind &amp; Söhne" in page
    assert "hr@ostwind.example" in page
    assert "{" not in page.split("</style>")[1], "nothing is left to be filled in"
    assert "http" not in page, "it asks nobody for anything"


def test_the_text_version_changes_with_the_words_and_the_durations(tmp_path: Path) -> None:
    built_in, own = load_rules(), own_rules(tmp_path, '[keep]\nproof = "7 years"\n')
    versions = {text_version(rules, language) for rules in (built_in, own) for language in LANGUAGES}
    assert len(versions) == 2 * len(LANGUAGES)
    assert text_version(built_in, "de") in consent_form(built_in, "de")


def test_what_the_form_asks_for_is_what_a_register_is_read_by() -> None:
    """Number, yes or no, date, text version: as the last line of each form says."""
    for header, word in (
        ("Employee number,Consent,Date,Text version", "yes"),
        ("Personalnummer,Einwilligung,Datum,Textversion", "ja"),
        ("Matricule,Consentement,Date,Version du texte", "oui"),
        ("Número de empleado,Consentimiento,Fecha,Versión del texto", "sí"),
    ):
        register = read_consents(f"{header}\n7,{word},2026-11-02,v-1\n".encode(), "consents.csv")
        (entry,) = register.entries
        assert (entry.number, entry.consent.given, entry.consent.text_version) == ("7", True, "v-1")
        assert entry.consent.given_at is not None
        assert read_answer(word) == "yes"


def test_the_command_writes_it_and_knows_its_languages(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["consent-form", "--language", "de", "--home", str(tmp_path)])
    assert done.exit_code == 0
    assert "Einwilligung in ein Porträt" in (tmp_path / "consent-form-de.html").read_text(encoding="utf-8")
    wrong = CliRunner().invoke(app, ["consent-form", "--language", "nl", "--home", str(tmp_path)])
    assert (wrong.exit_code, "en, de, fr, es" in wrong.output) == (2, True)
