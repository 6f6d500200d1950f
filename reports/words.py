"""Human words for every code that can be found about a person, their photos, the roster or a finished picture.

HR reads these pages, so each finding has a short name, a sentence and what to do next, in `tasks/language/`. Codes are
fixed across the house; an unknown one is shown readably rather than hidden, because a code we forgot must still reach
somebody.
"""

from dataclasses import dataclass

from tasks.sentences import sentences, tell


@dataclass(frozen=True)
class Words:
    """What a code is called, what it means, and what to do about it."""

    name: str
    meaning: str
    fix: str


def say(code: str) -> Words:
    """The words of a code of people, photos or rows; an unknown one made readable."""
    known = _words("code", code)
    if known is not None:
        return known
    readable = code.replace("_", " ").strip() or tell("code.unnamed")
    return Words(readable[:1].upper() + readable[1:], "", tell("code.unknown"))


def say_flag(code: str) -> Words:
    """The words of a picture's flag, as judged against its person's selfies and the brand kit; other codes in the words
    that they have for people and photos."""
    return _words("flag", code) or say(code)


def _words(table: str, code: str) -> Words | None:
    if f"{table}.{code}.name" not in sentences():
        return None
    return Words(*(tell(f"{table}.{code}.{part}") for part in ("name", "meaning", "fix")))
