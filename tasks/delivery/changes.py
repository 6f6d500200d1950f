"""What a delivery will change at its destination, by person and with the reason: asked before a file is touched.

What an earlier delivery of the same batch left for somebody who is no longer in it goes. Another batch's files stay,
but for people who withdrew, left or were forgotten. Where more than a tenth of what lies there would go for good, a
person is shown it first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.sentences import tell, tell_if_known

MOST_GOING = 0.1  # share of the files there that may go without a question


@dataclass(frozen=True)
class Lying:
    """A file that an earlier delivery wrote, by its manifest."""

    employee: str
    batch: str
    output: str
    path: str
    headshot: str
    listed: Mapping[str, Any]  # its whole entry, to be carried on


@dataclass(frozen=True)
class Going:
    """One file that will be taken away, and why."""

    employee: str
    path: str
    why: str  # why the person is not in this delivery, or "replaced"


@dataclass(frozen=True)
class Changes:
    """A delivery against what lies there. Everybody who has or had files is in exactly one of the four."""

    new: tuple[str, ...]
    changed: tuple[str, ...]  # another picture than before
    unchanged: tuple[str, ...]
    removed: tuple[tuple[str, str], ...]  # (employee, why)
    going: tuple[Going, ...]
    staying: tuple[Lying, ...]  # of other batches, or of sizes that were not asked for
    before: int  # files that lay there

    @property
    def must_ask(self) -> bool:
        """Whether more than a tenth of the files there would go, and nothing comes in their place."""
        return sum(one.why != "replaced" for one in self.going) > MOST_GOING * self.before


def say_why(code: str) -> str:
    """Why somebody's files go, in words."""
    return tell_if_known(f"delivered.why.{code}", code.replace("_", " "))


def say_reasons(going: Iterable[Going]) -> str:
    """Of how many people files go, and why: "2 people consent withdrawn, 1 left the company". Names nobody."""
    counts = Counter(why for why in {one.employee: one.why for one in going}.values())
    return ", ".join(tell("delivered.reason", number, why=say_why(why)) for why, number in counts.items())


def compare(
    earlier: Sequence[Lying],
    coming: Mapping[str, tuple[str, str]],
    gone: Mapping[str, str],
    absent: Mapping[str, str],
    batch: str,
    outputs: Iterable[str],
) -> Changes:
    """`coming`: path → (employee, headshot) of this delivery, made in these sizes (`outputs`). `gone`: why no batch may
    show somebody any more. `absent`: why somebody of this batch is not in this delivery."""
    made = set(outputs)
    picture = dict(coming.values())
    had: dict[str, set[str]] = {}
    overwritten: dict[str, str] = {}
    going: list[Going] = []
    staying: list[Lying] = []
    for file in earlier:
        had.setdefault(file.employee, set()).add(file.headshot)
        mine = picture.get(file.employee)
        if file.path in coming:
            if mine is None and coming[file.path][0] != file.employee:  # somebody else has this name now
                overwritten[file.employee] = gone.get(file.employee) or absent.get(file.employee) or "name_given_away"
            continue
        if mine is not None and (file.output in made or file.headshot != mine):
            going.append(Going(file.employee, file.path, "replaced"))
            continue
        absence = absent.get(file.employee, "not_in_batch") if file.batch == batch and mine is None else ""
        why = gone.get(file.employee) or absence
        if why:
            going.append(Going(file.employee, file.path, why))
        else:
            staying.append(file)
    left = {file.employee for file in staying}
    removed = overwritten | {one.employee: one.why for one in going if one.employee not in picture}
    return Changes(
        new=tuple(one for one in picture if one not in had),
        changed=tuple(one for one, headshot in picture.items() if one in had and had[one] != {headshot}),
        unchanged=tuple(one for one, headshot in picture.items() if had.get(one) == {headshot}),
        removed=tuple((one, why) for one, why in removed.items() if one not in left),
        going=tuple(going),
        staying=tuple(staying),
        before=len(earlier),
    )
