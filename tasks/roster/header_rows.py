"""Finds the header of a table, of one row or of two: group titles over it, or labels under a system's own keys.

Of two rows the lower one belongs to the header and its words go to the columns under it; what stands over them says
whose they are: `Name` under "Emergency contact" is nobody's name here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.roster.columns import OF_OTHERS, folded, header_score, meaning

WITHIN = 30  # rows in which a header is looked for


@dataclass(frozen=True)
class Header:
    """`titles`: what stands over each column, both rows put together. `row` is where the header begins, `below` where
    the people do (indices)."""

    titles: list[str]
    row: int
    below: int


def find_header(rows: list[list[str]]) -> Header | None:
    """The row that names most fields, the upper one if two do, with what belongs to it. Title rows name none."""
    scores = [header_score(row) for row in rows[:WITHIN]]
    best = max(scores, default=0)
    if not best:
        return None
    at = scores.index(best)
    titles, below = list(rows[at]), at + 1
    if below < len(rows) and _belongs(rows[below], titles):
        titles, below = _together(titles, rows[below]), below + 1
    first = at
    if at > 0 and _is_group_row(rows[at - 1], rows[at]):
        titles, first = _under_groups(rows[at - 1], titles), at - 1
    return Header(titles, first, below)


def _belongs(row: list[str], titles: list[str]) -> bool:
    """Whether the row under a header is a part of it: words of headers and nothing that only people have."""
    filled = [cell for cell in row if cell]
    known = [cell for cell in filled if meaning(cell)]
    people = any("@" in cell or re.search(r"\d{2,}", cell) for cell in filled)
    repeated = sum(folded(cell) == folded(title) for cell, title in zip(row, titles, strict=False) if cell)
    alone = all(not titles[i] for i, cell in enumerate(row) if cell and i < len(titles))
    enough = len(known) * 2 >= len(filled) and (len(known) >= 2 or alone)
    return bool(known) and not people and enough and repeated < max(len(filled), 1)


def _together(upper: list[str], lower: list[str]) -> list[str]:
    """Column by column the title that is known; of two the better alias, or the lower one."""
    width = max(len(upper), len(lower))
    above, under = [*upper, *[""] * (width - len(upper))], [*lower, *[""] * (width - len(lower))]
    carried = _carried(above)
    titles = []
    for i in range(width):
        own, group = meaning(under[i]), carried[i]
        if not under[i] or (own is None and meaning(above[i])):
            titles.append(above[i])
        elif group and OF_OTHERS.search(folded(group)):
            titles.append(f"{group} {under[i]}")
        else:
            key = meaning(above[i])
            titles.append(above[i] if key and own and key[0] == own[0] and key[1] < own[1] else under[i])
    return titles


def _is_group_row(row: list[str], below: list[str]) -> bool:
    """Titles over groups of columns: fewer than columns, and no one sentence over the whole table."""
    filled = [i for i, cell in enumerate(row) if cell]
    return len(filled) > 1 and len(filled) < sum(map(bool, below)) and all(i < len(below) for i in filled)


def _under_groups(groups: list[str], titles: list[str]) -> list[str]:
    carried = _carried([*groups, *[""] * (len(titles) - len(groups))])
    return [
        f"{group} {title}" if title and group and OF_OTHERS.search(folded(group)) else title or group
        for group, title in zip(carried, titles, strict=False)
    ]


def _carried(row: list[str]) -> list[str]:
    """A group's title over every column up to the next one."""
    found, last = [], ""
    for cell in row:
        last = cell or last
        found.append(last)
    return found
