"""What HR uploaded at the desk: a forgotten person's photos and lines leave every drop that we hold.

Photos go by the same matching that took them in, so a folder `7` is nobody's but number 7's. From tables the person's
own lines go, and in other people's lines the cells that mention them; a workbook becomes a CSV by that, and one with
several sheets goes whole. What HR keeps in a folder of their own is theirs, and the receipt says so.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from tasks.retention.mentions import Mentioned, Mentions
from tasks.retention.pages import cut_mentions
from tasks.roster.columns import header_score, map_columns
from tasks.roster.drop import TABLES, DropFault, sort_contents
from tasks.roster.grid import Grid
from tasks.roster.header_rows import find_header
from tasks.roster.read import read_roster
from tasks.roster.rows import RosterRow, UnreadableTable
from tasks.roster.tables import read_tables
from tasks.roster.upload import Upload
from tasks.roster.write import table_csv
from tasks.selfies.manifest import read_manifest
from tasks.selfies.match import match_photos
from tasks.selfies.picks import FILE, LEFT_OUT, Answers, read_answers, read_left_out


def clear_uploads(uploads: Iterable[Upload], people: Sequence[Mentioned]) -> int:
    """Take these people out of every upload; how many files were removed or written again. Parts of files that are
    still on their way may be anybody's: they go, and their sender begins them anew."""
    known = [one for one in people if one.words or one.number]
    done = 0
    for upload in uploads if known else ():
        done += upload.drop_halves() + _clear(upload, known, Mentions(known))
        upload.sync()
    return done


def _clear(upload: Upload, people: Sequence[Mentioned], mentions: Mentions) -> int:
    try:
        files = upload.files()
    except DropFault:
        return 0
    theirs = photos_of(upload, {one.number for one in people if one.number})
    theirs |= {path for path in files if mentions.search(path)}
    for path in theirs:
        upload.remove(path)
    tables = [path for path in files if path not in theirs and path.lower().endswith(TABLES)]
    changed = sum(_cut_table(upload, path, people, mentions) for path in tables)
    return len(theirs) + changed + _cut_notes(upload, people, mentions)


def photos_of(upload: Upload, numbers: set[str]) -> set[str]:
    """Whatever intake would take for a photo of one of these numbers; nothing where that cannot be told."""
    try:
        contents = sort_contents(upload.files())
        roster = read_roster(upload.read(contents.roster), contents.roster)
        rows: list[RosterRow] = [replace(row, number=roster.filed_number(row)) for row in roster.rows]
        picks = read_answers(upload).picks
        matching = match_photos(contents.photos, rows, read_manifest(upload), picks)
    except (DropFault, UnreadableTable):
        return set()
    return {path for number in numbers for path in matching.by_number.get(number, ())}


def _cut_table(upload: Upload, path: str, people: Sequence[Mentioned], mentions: Mentions) -> int:
    """1 when the table was written again or removed; a table that cannot be read is left to the search."""
    try:
        grids = read_tables(upload.read(path), path, None, header_score).grids
    except (UnreadableTable, DropFault):
        return 0
    cut = [(grid, list(_rows_without(grid, people, mentions))) for grid in grids]
    if all(rows == grid.rows for grid, rows in cut):
        return 0
    if len(cut) > 1 or not cut[0][1]:
        upload.remove(path)
        return 1
    grid, rows = cut[0]
    target = str(PurePosixPath(path).with_suffix(".csv"))
    upload.write(target, table_csv(rows[0], rows[1:], delimiter=grid.delimiter if grid.kind == "csv" else ","))
    if target != path:
        upload.remove(path)
    return 1


def _rows_without(grid: Grid, people: Sequence[Mentioned], mentions: Mentions) -> Iterator[list[str]]:
    header = find_header(grid.rows)
    place = map_columns(header.titles).place if header is not None else {}
    numbers = {one.number for one in people if one.number}
    words = [pair for one in people for pair in zip(one.words, one.kinds, strict=True)]
    emails = {word.casefold() for word, kind in words if kind == "e-mail"}
    for row in grid.rows:
        number = _cell(row, place.get("number"))
        if number in numbers or _cell(row, place.get("email")).casefold() in emails:
            continue
        if not number and mentions.search(_cell(row, place.get("name"))):
            continue
        yield ["" if mentions.search(cell) else cell for cell in row]


def _cell(row: list[str], at: int | None) -> str:
    return row[at].strip() if at is not None and at < len(row) else ""


def _cut_notes(upload: Upload, people: Sequence[Mentioned], mentions: Mentions) -> int:
    """What HR said about photos, and the lines about what an upload left out."""
    numbers, changed = {one.number for one in people}, 0
    try:
        answers = read_answers(upload)
    except DropFault:
        answers = Answers()
    picks = {key: who for key, who in answers.picks.items() if who not in numbers and not mentions.search(key)}
    pairs = frozenset(pair for pair in answers.two_people if numbers.isdisjoint(pair))
    if (picks, pairs) != (dict(answers.picks), answers.two_people):
        upload.write(FILE, Answers(picks, pairs).as_json())
        changed += 1
    text = json.dumps(read_left_out(upload), ensure_ascii=False)
    if mentions.search(text):
        upload.write(LEFT_OUT, (cut_mentions(text, mentions, ".json") or json.dumps([])).encode())
        changed += 1
    return changed
