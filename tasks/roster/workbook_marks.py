"""What an XLSX says about its cells besides their values: formats, formulas, hidden rows and columns, merged cells.

Read by a small parser of our own: the libraries that know all of it choke on the style sheets of HR systems. Whatever
goes wrong here costs formats, never a value; only ever called in the sandbox (tables.py).
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from tasks.roster.number_format import BUILT_IN


@dataclass
class Marks:
    """Of one sheet; rows and columns count from 0."""

    formats: dict[tuple[int, int], str] = field(default_factory=dict)  # where it is not General
    formulas: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)  # row and column, first and last


def read_marks(data: bytes) -> dict[str, Marks]:
    """By the sheet's name; a sheet whose part is damaged is left out."""
    found: dict[str, Marks] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            codes = _formats(archive)
            for name, part in _parts(archive).items():
                try:
                    found[name] = _read_sheet(archive.read(part), codes)
                except (expat.ExpatError, KeyError, ValueError, _Refused):
                    continue
    except (expat.ExpatError, KeyError, ValueError, OSError, zipfile.BadZipFile, _Refused):
        return found
    return found


class _Refused(Exception):
    """A part that declares entities: no spreadsheet program writes any."""


def _parse(content: bytes, start: Any, end: Any = None, text: Any = None) -> None:
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise _Refused

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, attrs: start(name.rpartition(":")[2], attrs)
    if end is not None:
        parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    if text is not None:
        parser.CharacterDataHandler = text
    parser.Parse(content, True)


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Sheet name → its part in the archive."""
    targets: dict[str, str] = {}
    sheets: dict[str, str] = {}

    def relation(name: str, attrs: dict[str, str]) -> None:
        if name == "Relationship":
            target = attrs.get("Target", "")
            targets[attrs.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"

    def sheet(name: str, attrs: dict[str, str]) -> None:
        if name == "sheet":
            identity = next((value for key, value in attrs.items() if key.rpartition(":")[2] == "id"), "")
            sheets[attrs.get("name", "")] = identity

    _parse(archive.read("xl/_rels/workbook.xml.rels"), relation)
    _parse(archive.read("xl/workbook.xml"), sheet)
    return {name: targets[identity] for name, identity in sheets.items() if identity in targets}


def _formats(archive: zipfile.ZipFile) -> list[str]:
    """The number format of each cell style, by the style's index; "" where it is General or built in and not known."""
    own: dict[int, str] = {}
    styles: list[str] = []
    inside = [""]

    def start(name: str, attrs: dict[str, str]) -> None:
        if name == "numFmt":
            own[int(attrs.get("numFmtId", "0"))] = attrs.get("formatCode", "")
        elif name in ("cellXfs", "cellStyleXfs"):
            inside[0] = name
        elif name == "xf" and inside[0] == "cellXfs":
            number = int(attrs.get("numFmtId", "0"))
            code = own.get(number, BUILT_IN.get(number, f"built in {number}"))
            styles.append("" if code.casefold() in ("general", "@") else code)

    def end(name: str) -> None:
        if name == inside[0]:
            inside[0] = ""

    _parse(archive.read("xl/styles.xml"), start, end)
    return styles


def _read_sheet(content: bytes, codes: list[str]) -> Marks:
    marks = Marks()
    row = column = -1
    formula: list[str] | None = None

    def start(name: str, attrs: dict[str, str]) -> None:
        nonlocal row, column, formula
        if name == "row":
            row, column = int(attrs["r"]) - 1 if "r" in attrs else row + 1, -1
            if attrs.get("hidden") in ("1", "true"):
                marks.hidden_rows.add(row)
        elif name == "c":
            row, column = _place(attrs["r"]) if "r" in attrs else (row, column + 1)
            style = int(attrs.get("s", "0"))
            if style < len(codes) and codes[style] and attrs.get("t", "n") == "n":
                marks.formats[(row, column)] = codes[style]
        elif name == "f":
            formula = []
        elif name == "mergeCell":
            first, _, last = attrs["ref"].partition(":")
            marks.merged.append((*_place(first), *_place(last or first)))
        elif name == "col" and attrs.get("hidden") in ("1", "true"):
            marks.hidden_columns.update(range(int(attrs["min"]) - 1, min(int(attrs["max"]), 16_384)))

    def end(name: str) -> None:
        nonlocal formula
        if name == "f" and formula is not None:
            marks.formulas[(row, column)] = "=" + "".join(formula)
            formula = None

    def text(piece: str) -> None:
        if formula is not None:
            formula.append(piece)

    _parse(content, start, end, text)
    return marks


def _place(reference: str) -> tuple[int, int]:
    """`B3` → (2, 1)."""
    found = re.fullmatch(r"\$?([A-Z]{1,3})\$?(\d+)", reference)
    if found is None:
        raise ValueError("no cell's name")
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return int(found[2]) - 1, column - 1
