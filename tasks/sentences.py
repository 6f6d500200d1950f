"""What is said to people, by key: the files of `language/en/` hold every sentence; another language is a folder.

A process speaks one language, as it has one time zone: `speak` says which, once, at the start. What another language
has not yet is said in English. A sentence with a number in it has a form for one and a form for more.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from tasks.failures import RollcallError

FOLDER = Path(__file__).parent / "language"
ENGLISH = FOLDER / "en"
FORMS = {"one", "many"}
Sentence = str | Mapping[str, str]
_spoken: list[Path] = [ENGLISH]  # one place, which `speak` writes


class NoSentence(KeyError):
    """A page asks for a sentence that nobody wrote: a defect."""


class NoSuchLanguage(RollcallError):
    """There is no folder of this language; the message names those that there are."""


def speak(language: str) -> None:
    """From now on this process speaks the language of this name in `language/`, or of a folder of the company's own.

    Raises NoSuchLanguage.
    """
    folder = Path(language) if "/" in language else FOLDER / language
    if not any(folder.glob("*.toml")):
        known = ", ".join(sorted(path.name for path in FOLDER.iterdir() if path.is_dir()))
        raise NoSuchLanguage(
            f"ROLLCALL_LANGUAGE names a language ({known}) or a folder with files like those of tasks/language/en: "
            f"{language!r} is neither."
        )
    speak_from(folder)


def speak_from(folder: Path) -> None:
    """From now on this process speaks the language of this folder, as another process that was asked does already."""
    _spoken[0] = folder


def spoken() -> Path:
    """The folder of the language that this process speaks."""
    return _spoken[0]


def sentences() -> Mapping[str, Sentence]:
    """Every sentence of the language that is spoken, by its key, such as `home.title`; a mapping of forms where one and
    many differ."""
    return _whole(spoken())


@cache
def _whole(folder: Path) -> Mapping[str, Sentence]:
    return {**written(ENGLISH), **({} if folder == ENGLISH else written(folder))}


def written(folder: Path) -> dict[str, Sentence]:
    """What the files of a folder hold. Raises NoSentence where two say the same key: a defect."""
    found: dict[str, Sentence] = {}
    for path in sorted(folder.glob("*.toml")):
        for key, text in _flat("", tomllib.loads(path.read_text(encoding="utf-8"))):
            if key in found:
                raise NoSentence(f"{key} is said twice")
            found[key] = text
    return found


def _flat(before: str, table: Mapping[str, Any]) -> list[tuple[str, Sentence]]:
    found: list[tuple[str, Sentence]] = []
    for name, said in table.items():
        if isinstance(said, str) or said.keys() == FORMS:
            found.append((f"{before}{name}", said))
        else:
            found += _flat(f"{before}{name}.", said)
    return found


def names(beginning: str) -> list[str]:
    """What comes next after a beginning: `names("code")` are all codes that have words, in the files' order."""
    start = f"{beginning}."
    return list(dict.fromkeys(key[len(start) :].partition(".")[0] for key in sentences() if key.startswith(start)))


def tell(key: str, number: int | None = None, /, **words: Any) -> str:
    """The sentence under this key with its words filled in; `number` chooses between one and many, and is `{n}`."""
    found = sentences().get(key)
    if found is None:
        raise NoSentence(key)
    if isinstance(found, Mapping):
        found = found["one" if number == 1 else "many"]
    return found.format(n=f"{number:,}" if number is not None else "", **words)


def tell_if_known(key: str, otherwise: str) -> str:
    """The sentence under this key; where nobody wrote one, what is given: a code that we forgot must reach somebody."""
    return tell(key) if key in sentences() else otherwise


def say_date(day: date, *, year: bool = True) -> str:
    """A day as people write it: "14 September 2026"."""
    month = tell(f"month.{day.month}")
    return tell("when.date" if year else "when.day_month", day=day.day, month=month, year=day.year)
