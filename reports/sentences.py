"""What the desk's pages say, by key: `language/en.toml` holds every sentence, so that another language is a file.

A sentence with numbers in it has a form for one and a form for more, told apart by the first number it is given.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "language"


class NoSentence(KeyError):
    """A page asks for a sentence that nobody wrote: a defect."""


@cache
def sentences(language: str = "en") -> Mapping[str, str | Mapping[str, str]]:
    """Every sentence of a language by its key, such as `home.title`; a mapping where one and many differ."""
    tables = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return {f"{page}.{name}": text for page, table in tables.items() for name, text in table.items()}


def tell(key: str, number: int | None = None, /, **words: Any) -> str:
    """The sentence under this key with its words filled in; `number` chooses between one and many, and is `{n}`."""
    found = sentences().get(key)
    if found is None:
        raise NoSentence(key)
    if isinstance(found, Mapping):
        found = found["one" if number == 1 else "many"]
    return found.format(n=f"{number:,}" if number is not None else "", **words)
