"""Every sentence of the desk's pages stands in one file, and what pages ask for is there."""

import ast
import builtins
import re
from pathlib import Path

import pytest

from reports.desk.runs import DEPLOYMENTS
from reports.navigation import NAVIGATION
from reports.site import write_site
from tasks.adapters.costs import QUALITIES
from tasks.headshots.wishes import REASONS as WISHES
from tasks.retention.calendar import EVERYTHING, KINDS
from tasks.retention.holds import REASONS
from tasks.roster.by_hand import EVIDENCE
from tasks.sentences import NoSentence, sentences, tell
from tasks.vault.review import VERDICTS
from tests.reports.conftest import company

REPORTS = Path(__file__).parents[2] / "reports"


def asked() -> set[str]:
    """Every key that a template or module asks for by its name."""
    found = {f"nav.{place.key}" for place in NAVIGATION}
    for path in (*REPORTS.glob("templates/*.html"), *REPORTS.rglob("*.py")):
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


# Who is spoken to by these is no reader of pages: a collector of metrics, and whoever starts the desk.
OPERATORS = {"desk/metrics.py", "desk/serving.py", "door/address.py", "roles.py"}
NO_WORDS = {  # names of other things, languages and services, in their own spelling
    "English", "Deutsch", "Helvetica", "Rollcall", "Rollcall desk", "openid profile email", "Refresh", "Location",
    "Row", "Cancelling", "Door", "Session", "rollcall kit new NAME", "make-headshots/1 Make headshots",
    "forget-a-person/4 Forget a person", "ROLLCALL_OIDC_ISSUER has to begin with https://, as the provider writes it.",
    "ROLLCALL_OIDC_CLIENT_ID is missing: register the desk at the provider first.", "not a batch id",
    # said by `rollcall decide`, never by a page
    "a decisions file holds a batch and a list of decisions", "there is no such batch here",
    # logged
    "the report of %s could not be written (%s)", "no withdrawal was read from an upload: %s",
}  # fmt: skip
READS = re.compile(r"[A-Z][a-z]+,? [a-z]|\b[a-z]+ [a-z]+ [a-z]+|^[A-Z][a-z]{2,}[.!?]?$")


def texts_of(tree: ast.AST, aside: set[ast.AST]) -> set[str]:
    """Every text of a module, without docstrings and annotations and without what stands `aside`."""
    skip = set(aside)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            skip.add(body[0].value)
        if isinstance(node, ast.JoinedStr):
            skip |= set(node.values)
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation:
            skip |= set(ast.walk(node.annotation))
    found = set()
    for node in ast.walk(tree):
        if node in skip:
            continue
        if isinstance(node, ast.JoinedStr):
            found.add("".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found


def literals(code: str) -> set[str]:
    """The texts of a module that read like words of a language."""
    return {text for text in texts_of(ast.parse(code), set()) if READS.search(text)}


def test_no_module_of_the_pages_holds_a_sentence_of_its_own() -> None:
    held = {
        f"{path.name}: {text}"
        for path in REPORTS.rglob("*.py")
        if path.relative_to(REPORTS).as_posix() not in OPERATORS
        for text in literals(path.read_text(encoding="utf-8")) - NO_WORDS
    }
    assert held == set()


# The steps whose words HR reads, on pages and in forms: what they find, refuse and answer. A module of theirs that
# nothing of the product imports speaks to nobody: it writes our own documents.
SAYING = ("roster", "selfies", "headshots", "likeness", "disclosure", "delivery")
SENTENCE = re.compile(r"^(\{\}|[“A-Z]).* [a-z]{2,}[^<>\\=]*[.!?:]$", re.S)
TO_OPERATORS = {"BadSetting", "KitError", "PackError"}  # who runs the installation, and who writes its files


def aside(tree: ast.AST) -> set[ast.AST]:
    """What stands in a call that speaks to nobody in HR: a line of a log, a defect, a setting that cannot be used."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        kind = getattr(builtins, called, None)
        defect = isinstance(kind, type) and issubclass(kind, Exception)
        logged = called in {"debug", "info", "warning", "error", "exception"}
        if defect or logged or called in TO_OPERATORS:
            found |= {inner for one in (*node.args, *node.keywords) for inner in ast.walk(one)}
    return found


def sentences_in(code: str) -> set[str]:
    """The whole sentences of a module that somebody in HR could meet."""
    tree = ast.parse(code)
    return {text for text in texts_of(tree, aside(tree)) if SENTENCE.search(text)}


def product() -> str:
    """What all modules of the product import, as one text."""
    rooms = [path for room in ("tasks", "reports", "flows") for path in (REPORTS.parent / room).rglob("*.py")]
    lines = [line for path in rooms for line in path.read_text(encoding="utf-8").splitlines()]
    return "\n".join(line for line in lines if "import " in line or ":" in line)


@pytest.mark.parametrize("step", SAYING)
def test_no_step_holds_a_sentence_of_its_own(step: str) -> None:
    imported = product()
    held = {
        f"{path.name}: {text}"
        for path in (REPORTS.parent / "tasks" / step).rglob("*.py")
        if f"tasks.{step}.{path.stem} " in imported or f"tasks.{step}.{path.stem}:" in imported
        for text in sentences_in(path.read_text(encoding="utf-8"))
    }
    assert held == set()


def test_a_sentence_in_a_step_is_found_and_a_log_or_a_defect_is_not() -> None:
    assert sentences_in('note("bad", f"Row {x} names nobody here.")') == {"Row {} names nobody here."}
    assert sentences_in('raise NotLikeThis("Choose another folder, please.")') == {"Choose another folder, please."}
    assert sentences_in('raise ValueError("A payload has 32 bits.")') == set()
    assert sentences_in('log.warning("Nothing was read from it.")') == set()
    assert sentences_in('YES = {"ja, ich stimme zu", "i agree"}') == set()


def test_a_sentence_in_a_module_is_found() -> None:
    assert literals('"""Says something."""\nx: "Some thing" = f"Nobody is {x}"') == {"Nobody is {}"}
    assert literals('raise BadUpload("Choose a file first.")') == {"Choose a file first."}
    assert literals('tell("login.other_attempt")') == set()


COMMENTS = re.compile(r"/\*.*?\*/|^\s*//.*?$|;\s+//.*?$", re.S | re.M)
TEXTS = re.compile(r"""\"((?:[^\"\\\n]|\\.)*)\"|`((?:[^`\\]|\\.)*)`""")
KEYS_OF_THE_KEYBOARD = {"Escape", "use strict"}


def spoken_by(script: str) -> set[str]:
    """What of a script's texts reads like words of a language; selectors and the keyboard's keys do not."""
    texts = {a or b for a, b in TEXTS.findall(COMMENTS.sub("", script))}
    plain = {text for text in texts if not re.search(r"^[.#(\[]|, |\(prefers", text) or re.search(r"[.?!]$", text)}
    words = {text for text in plain if READS.search(text) or re.search(r"\} [a-z]{2,} ?|^[a-z]+ [a-z]+$", text)}
    return words - KEYS_OF_THE_KEYBOARD


@pytest.mark.parametrize("path", sorted(REPORTS.glob("static/*.js")), ids=lambda path: path.stem)
def test_no_script_holds_a_sentence_of_its_own(path: Path) -> None:
    assert spoken_by(path.read_text(encoding="utf-8")) == set()


def test_a_sentence_in_a_script_is_found() -> None:
    assert spoken_by('toast("Nothing to undo"); /* "Not this one" */') == {"Nothing to undo"}
    assert spoken_by('line.textContent = "Saved";') == {"Saved"}
    assert spoken_by("x = `${many} people chosen`;") == {"${many} people chosen"}
    assert spoken_by('find("input, select, textarea"); tell("script.saved")') == set()


def test_what_scripts_ask_for_is_written() -> None:
    for path in REPORTS.glob("static/*.js"):
        for key in re.findall(r"""["`]((?:script|verdict)\.[a-z_]+)""", path.read_text(encoding="utf-8")):
            known = key in sentences() or (key.endswith("_") and any(one.startswith(key) for one in sentences()))
            assert known, f"{path.name}: {key}"


JARGON = re.compile(r"ΔE|\bITA\b|[Cc]ohort|\bLoRA\b|[Dd]igest|[Ff]ine-tun|adapter|latent|embedding|checkpoint")


def test_hrs_sentences_are_in_hrs_words() -> None:
    forms = [form for said in sentences().values() for form in ([said] if isinstance(said, str) else said.values())]
    assert [form for form in forms if JARGON.search(form)] == []


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
        "wish.": WISHES, "verdict.": VERDICTS,
    }  # fmt: skip
    for beginning, ends in codes.items():
        assert {beginning + end for end in ends} - set(sentences()) == set()


def test_one_and_many_are_told_apart_and_numbers_are_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = {"home.people": {"one": "{n} person in {kit}", "many": "{n} people in {kit}"}}
    monkeypatch.setattr("tasks.sentences.sentences", lambda: forms)
    assert tell("home.people", 1, kit="Northwind") == "1 person in Northwind"
    assert tell("home.people", 2000, kit="Northwind") == "2,000 people in Northwind"


def test_a_sentence_that_nobody_wrote_is_a_defect() -> None:
    with pytest.raises(NoSentence):
        tell("home.nothing_of_the_kind")
