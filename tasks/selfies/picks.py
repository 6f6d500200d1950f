"""HR's word about photos whose owner cannot be told by their path: kept with the drop, one pick a stray.

The file begins with a dot, so that it is nobody's photo and no table. Paths in it count from the folder of the photos,
so that a check (which is given that folder) and a run (which is given the whole drop) read the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.roster.drop import Drop, DropFault
from tasks.sentences import tell

FILE = ".answers.json"
LEFT_OUT = ".left-out.json"  # lines about what an upload held and the drop does not
NOBODYS = "-"  # these files are nobody's on this roster
BY_FILE = "*"  # this folder holds photos of many people: go by the files' names
PHOTO_FOLDER = "selfies/"


@dataclass(frozen=True)
class Answers:
    """What HR has said about one drop. `picks`: stray's key → number, NOBODYS or BY_FILE. `two_people`: pairs of
    numbers whose faces are alike and who are two people."""

    picks: Mapping[str, str] = field(default_factory=dict)
    two_people: frozenset[tuple[str, str]] = frozenset()

    def as_json(self) -> bytes:
        content = {"picks": dict(sorted(self.picks.items())), "two_people": sorted(self.two_people)}
        return json.dumps(content, ensure_ascii=False, indent=1).encode()


def read_answers(drop: Drop) -> Answers:
    """The answers kept with a drop; none where nobody has answered yet. ValueError when the file is damaged: a pick
    that is lost would send a photo to somebody else."""
    try:
        data = drop.read(FILE)
    except DropFault:
        return Answers()
    return parse_answers(data)


def read_left_out(drop: Drop) -> tuple[str, ...]:
    """Lines about what an upload held and the drop does not; none for folders that nobody uploaded."""
    try:
        data = drop.read(LEFT_OUT)
    except DropFault:
        return ()
    return tuple(str(line) for line in json.loads(data))


def parse_answers(data: bytes) -> Answers:
    """DropFault for anything but what `as_json` writes."""
    try:
        content: Any = json.loads(data)
        picks = {str(key): str(value) for key, value in content["picks"].items()}
        pairs = frozenset((str(a), str(b)) for a, b in content["two_people"])
    except (AttributeError, KeyError, TypeError, ValueError) as wrong:
        fix = tell("drop.answers_damaged")
        raise DropFault("answers_damaged", fix) from wrong
    return Answers(picks, pairs)


def key_of(path: str) -> str:
    """What a pick for this file is kept under."""
    return path.removeprefix(PHOTO_FOLDER)


def folder_key(folders: Sequence[str]) -> str:
    """What a pick for a whole folder is kept under."""
    return key_of("/".join(folders) + "/")
