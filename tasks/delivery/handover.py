"""The page that lies with a delivery: what is in it, how each directory takes it, and whose pictures have to come down.

One file without scripts or anything from elsewhere, for whoever carries the files on. It names people who were new,
changed or removed, since somebody has to do by hand what no delivery can reach.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

from tasks.delivery.changes import say_why
from tasks.delivery.manifest import Manifest, change_rows
from tasks.delivery.pack import Pack
from tasks.vault.records import Employee

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;color:#1d2330;background:#fff;max-width:46rem;margin:2rem auto;"
    "padding:0 1rem}h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;padding:.3rem .6rem .3rem 0;border-bottom:1px solid #d8dde5;vertical-align:top}"
    "code{background:#f1f3f7;padding:0 .25rem}.must{border-left:4px solid #b3261e;padding-left:1rem}"
)


def handover_page(
    manifest: Manifest, packs: Sequence[Pack], people: Mapping[str, Employee], stuck: Sequence[str], now: datetime
) -> bytes:
    """The page. `stuck`: files that were to go and could not be taken away here."""
    body = [
        "<h1>Headshots, to be handed over</h1>",
        f"<p>{manifest.people} people, {len(manifest.own)} files, delivered on {now.day} {now:%B %Y}. Every file "
        "was read back where it lies now: it says in its metadata and its signed credentials how it was made, and "
        "<code>manifest.csv</code> lists it with its checksum.</p>",
        *_take_down(manifest, people, stuck),
        *(part for pack in packs for part in _pack(pack, manifest)),
        *_without(manifest),
        "<h2>From here on</h2><p>These files are the company’s to look after: Rollcall cannot take back what was "
        "carried on. Deliver again after people have joined, left or withdrawn; this page then says whose "
        "pictures are to be taken down.</p>",
    ]
    head = f'<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8"><title>Hand-over</title><style>{STYLE}</style>\n'
    return (head + "\n".join(body) + "\n</html>\n").encode()


def _take_down(manifest: Manifest, people: Mapping[str, Employee], stuck: Sequence[str]) -> list[str]:
    rows = [row for row in change_rows(manifest.changes, people) if row[3] == "removed"]
    if not rows and not stuck:
        return []
    lines = [
        f"<tr><td>{escape(number)}</td><td>{escape(name) or 'forgotten'}</td><td>{escape(why)}</td></tr>"
        for number, name, _, _, why, _ in rows
    ]
    left = "".join(f"<li><code>{escape(path)}</code></li>" for path in stuck)
    where = (
        f"<p>These files could not be taken away here; delete them:</p><ul>{left}</ul>"
        if stuck
        else "<p>Their files are gone from here. Where they were carried on, in a directory, on a site or a badge, "
        "only whoever looks after it can take them down.</p>"
    )
    table = f"<table><tr><th>Number</th><th>Name</th><th>Why</th></tr>{''.join(lines)}</table>" if lines else ""
    return ['<section class="must"><h2>To be taken down</h2>', where, table, "</section>"]


def _pack(pack: Pack, manifest: Manifest) -> list[str]:
    mine = [file for file in manifest.own if file.pack == pack.name]
    sizes = "".join(
        f"<tr><td><code>{escape(size.folder)}/</code></td><td>{size.output.width} × {size.output.height}, "
        f"{size.output.format.upper()}</td><td>{sum(one.output == size.folder for one in mine)}</td></tr>"
        for size in pack.sizes()
    )
    steps = "".join(f"<li>{escape(step)}</li>" for step in pack.steps)
    limits = ""
    if pack.source:
        when = f", looked up on {pack.looked_up.isoformat()}" if pack.looked_up else ""
        limits = f"<p>Limits: {escape(pack.source)}{when}.</p>"
    return [
        f"<h2>{escape(pack.title)}</h2>",
        f"<p>{escape(pack.purpose)}</p>" if pack.purpose else "",
        f"<table><tr><th>Folder</th><th>Size</th><th>Files</th></tr>{sizes}</table>",
        f"<ol>{steps}</ol>" if steps else "",
        limits,
    ]


def _without(manifest: Manifest) -> list[str]:
    if not manifest.skipped:
        return []
    counts: dict[str, int] = {}
    for one in manifest.skipped:
        counts[one.code] = counts.get(one.code, 0) + 1
    rows = "".join(f"<tr><td>{escape(say_why(code))}</td><td>{number}</td></tr>" for code, number in counts.items())
    return [
        "<h2>People without a file</h2>",
        f"<table><tr><th>Why</th><th>People</th></tr>{rows}</table>",
    ]
