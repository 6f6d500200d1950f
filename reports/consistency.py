"""Is it one company? The team's table in words: what was measured over everybody's picture, and who stands out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from reports.data import ReportData
from reports.phrases import plain
from tasks.sentences import tell, tell_if_known


@dataclass(frozen=True)
class ConsistencyLine:
    """One measure: in words, in the middle of the team, for the worst twentieth, and its target."""

    name: str
    word: str
    middle: str
    worst: str
    target: str
    met: bool


@dataclass(frozen=True)
class SkinLine:
    """In words and figures, how far skin moved against people's own photos, over one group; 0 is where it should be."""

    group: str
    people: int
    shift: str  # the figure, behind "how this was measured"
    met: bool
    word: str = ""


@dataclass(frozen=True)
class Consistency:
    lines: tuple[ConsistencyLine, ...]
    skin: tuple[SkinLine, ...]
    outliers: tuple[tuple[str, str, str], ...]  # id, name, what sticks out
    met: bool  # every measure, skin included
    sentence: str
    kit: str = ""  # whose team it is, where there are several
    others: tuple[Consistency, ...] = ()  # the teams under other kits


def consistency(data: ReportData) -> Consistency | None:
    """The team table in words, from the batch's facts; None when it was not measured. Each kit's people are a team, and
    what is said of all of them counts every team's measures."""
    said = data.batch.facts.get("team")
    found = [table for table in _tables(said) if table.get("rows")]
    if not found:
        return None
    teams = [_team(data, table) for table in found]
    # Every line of the page counts: none is red beside "all are met".
    measures = [line.met for team in teams for line in team.lines] + [line.met for team in teams for line in team.skin]
    met = sum(measures)
    sentence = tell("measures.all", met) if met == len(measures) else tell("measures.some", met, all=len(measures))
    titled = teams if len(teams) == 1 else [
        replace(team, kit=str(table.get("kit", ""))) for team, table in zip(teams, found, strict=True)
    ]  # fmt: skip
    return replace(titled[0], met=met == len(measures), sentence=sentence, others=tuple(titled[1:]))


def _tables(said: Any) -> list[Mapping[str, Any]]:
    if not isinstance(said, Mapping):
        return []
    return [said, *(table for table in said.get("others", ()) if isinstance(table, Mapping))]


def _team(data: ReportData, table: Mapping[str, Any]) -> Consistency:
    lines = tuple(_line(row) for row in table["rows"] if isinstance(row, Mapping))
    skin = tuple(_skin(row) for row in table.get("bias", ()) if isinstance(row, Mapping))
    return Consistency(lines, skin, _outliers(data, table), False, "")


def _line(row: Mapping[str, Any]) -> ConsistencyLine:
    measure, met = str(row.get("measure", "")), bool(row.get("met"))
    said = "met" if met else "missed"
    unit = str(row.get("unit", ""))
    spread = unit.endswith(", sd")  # a spread over people has no worst person
    sign = {"ratio": "×", "degrees": "°"}.get(unit, unit.removesuffix(", sd"))
    return ConsistencyLine(
        name=_name(measure),
        word=tell_if_known(f"measure.{_key(measure)}.{said}", tell(f"measures.{said}")),
        middle=_with(row.get("median"), sign),
        worst="" if spread else _with(row.get("worst"), sign),
        target="≤ " + _with(row.get("target"), sign),
        met=met,
    )


def _with(value: Any, sign: str) -> str:
    if sign == "ΔE":
        return f"ΔE {plain(value)}"
    return f"{plain(value)}{sign}" if sign == "°" else f"{plain(value)} {sign}".strip()


def _skin(row: Mapping[str, Any]) -> SkinLine:
    shift = float(row.get("shift", 0.0))
    way = "unchanged" if abs(shift) < 0.5 else "lighter" if shift > 0 else "darker"
    group = str(row.get("group", ""))
    moved = way != "unchanged"
    said = tell(f"skin.by_{way}", shift=f"{abs(shift):.1f}° ITA") if moved else tell("skin.unchanged")
    met = bool(row.get("within_target"))
    word = f"shade_{way}" if met and moved else way  # what is green is not said as what is red
    name = tell_if_known(f"group.{_key(group)}", group)
    return SkinLine(name, int(row.get("people", 0)), said, met, _capital(tell(f"skin.{word}")))


def _outliers(data: ReportData, team: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """Everybody who stands out, once, with all that sticks out; the gravest first, as the table gives them."""
    names = {person.id: person.name for person in data.people}
    found: dict[str, list[str]] = {}
    for row in team.get("outliers", ()):
        if isinstance(row, Mapping) and row.get("employee_id") in names:
            measure = str(row.get("measure", ""))
            values = {"value": plain(row.get("value")), "limit": plain(row.get("limit"))}
            text = tell("measures.outlier", name=_name(measure), **values)
            found.setdefault(str(row["employee_id"]), []).append(text)
    return tuple((one, names[one], ", ".join(texts)) for one, texts in found.items())


def _key(measure: str) -> str:
    """What a measure or group of the records is called in the language's keys."""
    return measure.replace(" ", "_").replace("-", "_")


def _name(measure: str) -> str:
    return tell_if_known(f"measure.{_key(measure)}.name", _capital(measure))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
