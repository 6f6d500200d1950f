"""Writes the report: pages, pictures and hashed assets in one folder that works from the file system, offline.

The only door to Jinja2 (autoescape on for every template, undefined names are errors). Data reach the browser as JSON
in a `<script type="application/json">` with every `<` written as \\u003c, never as code; only of a wall of more people
than `PIECE` the people lie in files beside it, as JSON that is handed to one function, since a page opened from a
folder may load nothing else. So the first picture waits for no list of ten thousand. Pictures lie in one folder per
person, named after digests, so that forgetting somebody is removing one folder and one page, and a second writing
redraws nothing. Files are replaced whole: a reader never sees half a page.
"""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports import pages
from reports.consistency import consistency
from reports.data import PersonRow, ReportData
from reports.delivered import deliveries
from reports.navigation import NAVIGATION
from reports.phrases import state_name, states, wish_name
from reports.pictures import page_picture, pictures_in, size_in
from tasks.sentences import names, sentences, spoken, tell
from tasks.vault.files import PART, replace_file, replace_files, take_away
from tasks.vision.small import LARGE, SELFIE, THUMB

HERE = Path(__file__).parent
STATIC = HERE / "static"
PER_PAGE = 60  # tiles that the wall's script puts on the page at a time
AT_ONCE = 4  # people whose pictures are written at a time: what takes long is the disk's word that a file is there
PIECE = 600  # people whom the wall's page holds itself, and each file beside it: below 300 KB
FIRST = 10  # people whose cards stand in the wall's page itself
# `file:` lets the same page work from a folder, where some browsers do not count a file as its own origin.
CSP = (
    "default-src 'none'; img-src 'self' file:; style-src 'self' file:; script-src 'self' file:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'"
)
ENVIRONMENT = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def as_json(value: Any) -> Markup:
    """JSON that can stand inside a script element whatever the names in it say."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def asset(name: str) -> bytes:
    """A static file as pages load it; the scripts' sentences stand before the script that tells them."""
    content = (STATIC / name).read_bytes()
    if name != "tell.js":
        return content
    said = {key: text for key, text in sentences().items() if key.startswith(("script.", "verdict."))}
    return f"window.RollcallSentences = {json.dumps(said)};\n".encode() + content


def asset_names() -> dict[str, str]:
    """Each static file's name with its content's hash, so that browsers may keep it for ever."""
    return _asset_names(spoken())


@cache
def _asset_names(_: Path) -> dict[str, str]:
    names = {}
    for path in sorted(STATIC.iterdir()):
        digest = sha256(asset(path.name)).hexdigest()[:10]
        names[path.name] = f"assets/{path.stem}.{digest}{path.suffix}"
    return names


def render(template: str, *, root: str = "", **context: Any) -> str:
    """One page as text. `root` is the way from the page to the site's root."""
    return ENVIRONMENT.get_template(template).render(
        root=root, assets=asset_names(), csp=CSP, as_json=as_json, states=states(), state_name=state_name,
        initials=pages.initials, say_time=pages.say_time, navigation=NAVIGATION, tell=tell, **{"may": None, **context},
    )  # fmt: skip


def write_site(data: ReportData, folder: Path) -> Path:
    """Write the whole report into `folder` and return its first page. Whoever is not in `data` is removed from it."""
    (folder / "people").mkdir(parents=True, exist_ok=True)
    _write_text(folder / ".gitignore", "*\n")
    for name, hashed in asset_names().items():
        _write_bytes(folder / hashed, asset(name))
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="report") as pool:
        written = pool.map(lambda person: _write_pictures(data, person, folder), data.people)
        pictures = {person.id: shown for person, shown in zip(data.people, written, strict=True)}
    pieces = wall_pieces(pages.wall_rows(data, pictures))
    texts = [*pieces.items(), *_batch_pages(data, pictures, list(pieces)), *_person_pages(data, pictures)]
    for path, text in texts:  # pieces before the page that asks for them
        _write_text(folder / path, text)
    for old in set((folder / "wall").glob("*")) - {folder / name for name in pieces}:
        old.unlink()
    _sweep(folder, {person.id for person in data.people})
    return folder / "index.html"


def wall_pieces(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The files that hold a large wall's people, by their names; none where the page can hold them itself."""
    if len(rows) <= PIECE:
        return {}
    made = {}
    for number, start in enumerate(range(0, len(rows), PIECE)):
        text = f"RollcallPiece({as_json(rows[start : start + PIECE])});\n"
        made[f"wall/{number}.{sha256(text.encode()).hexdigest()[:10]}.js"] = text
    return made


def batch_page(data: ReportData, folder: Path, path: str) -> str | None:
    """One page of the whole batch, written for the people in `data` alone; None when there is none of this name."""
    pictures = {person.id: _write_pictures(data, person, folder) for person in data.people}
    return dict(_batch_pages(data, pictures, [])).get(path)


def _shared(data: ReportData) -> dict[str, Any]:
    blocked = pages.blocked_groups(data)
    return {
        "data": data, "batch": data.batch, "made_at": pages.say_time(data.made_at), "team": consistency(data),
        "problems": pages.file_problems(data.batch),
        "blocked": blocked, "blocked_count": sum(len(group.people) for group in blocked),
    }  # fmt: skip


def _shape(rows: Sequence[Mapping[str, Any]]) -> str:
    shapes = [row["thumb"]["width"] / row["thumb"]["height"] for row in rows if row["thumb"]]
    return "square" if shapes and shapes[0] > 0.9 else "portrait"


def _batch_pages(
    data: ReportData, pictures: Mapping[str, pages.PersonPictures], pieces: Sequence[str]
) -> list[tuple[str, str]]:
    """`pieces`: the files that hold the wall's people; the page holds them itself where there are none."""
    rows, shared = pages.wall_rows(data, pictures), _shared(data)
    shape = _shape(rows)
    wall = {
        **_asked(data), "perPage": PER_PAGE, "people": [] if pieces else rows, "pieces": len(pieces),
        "states": dict(states()), "problems": pages.problem_names(data),
    }  # fmt: skip
    counts = {state: sum(row["state"] == state for row in rows) for state in states()}
    return [
        (
            "index.html",
            render(
                "wall.html",
                wall=wall,
                rows=rows,
                pieces=pieces,
                first=pages.first_seen(rows, FIRST),
                shape=shape,
                counts=counts,
                here="wall",
                **shared,
            ),
        ),
        ("blocked.html", render("blocked.html", here="blocked", **shared)),
        (
            "run.html",
            render("run.html", groups=pages.run_facts(data.batch), deliveries=deliveries(data), here="run", **shared),
        ),
        ("print.html", render("print.html", rows=on_paper(rows), shape=shape, here="print", **shared)),
    ]


def on_paper(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Who hangs on a printed wall, each with how their picture was made, in words, since paper has no metadata. Whoever
    is blocked, for want of consent above all, is not named where everybody can read it."""
    hanging = [row for row in rows if row["state"] != "blocked"]
    return [{**row, "made": tell(f"print.made_{row['lane']}") if row["thumb"] else ""} for row in hanging]


def _person_pages(data: ReportData, pictures: Mapping[str, pages.PersonPictures]) -> list[tuple[str, str]]:
    shared, shape, out = _shared(data), _shape(pages.wall_rows(data, pictures)), []
    for index, person in enumerate(data.people):
        page = pages.person_page(data, index, pictures[person.id])
        context = {"page": page, "wall": _person_data(data, page), "shape": shape, "here": "person"}
        out.append((f"people/{person.id}.html", render("person.html", root="../", **context, **shared)))
    return out


def _asked(data: ReportData) -> dict[str, Any]:
    """What every page's script knows of the batch: its kit, and what a redo may ask for."""
    reasons = [{"code": code, "name": wish_name(code)} for code in data.batch.reasons if code in names("wish")]
    return {"batch": data.batch.id, "kit": data.batch.kit, "madeAt": data.made_at.isoformat(), "reasons": reasons}


def _person_data(data: ReportData, page: pages.PersonPage) -> dict[str, Any]:
    pictures = [
        {
            "digest": shot.digest, "lane": shot.lane, "retired": shot.state == "retired",
            "takenAt": shot.created_at.isoformat() if shot.created_at else "",
        }
        for shot in page.person.headshots
    ]  # fmt: skip
    person = {
        "id": page.id, "name": page.person.name, "state": page.state, "base": pages.undecided_state(page.person),
        "newest": page.newest, "pictures": pictures, **({"kit": page.person.kit} if page.person.kit else {}),
    }  # fmt: skip
    return {
        **_asked(data), "states": dict(states()), "person": person,
        "before": page.before, "after": page.after,
        "candidates": [{"digest": c.digest, "state": c.state} for c in page.candidates],
    }  # fmt: skip


def _write_pictures(data: ReportData, person: PersonRow, folder: Path) -> pages.PersonPictures:
    """This person's pictures as files, each opened only if it does not lie there already; others are removed."""
    place = folder / "people" / person.id
    large: dict[str, pages.Shown] = {}
    thumbs: dict[str, pages.Shown] = {}
    selfies: dict[str, pages.Shown] = {}
    shots = [shot for shot in person.headshots if shot.state != "retired"]
    wanted = [(shot.digest, shot.key, shot.large, "h", LARGE, large) for shot in shots]
    wanted += [(shot.digest, shot.key, shot.thumb, "t", THUMB, thumbs) for shot in shots]
    wanted += [(selfie.digest, selfie.key, selfie.small, "s", SELFIE, selfies) for selfie in person.selfies]
    there = pictures_in(place)
    opened: dict[str, bytes | None] = {}

    def picture(key: str) -> bytes | None:
        if key not in opened:
            opened[key] = data.pictures(person.id, key) if key else None
        return opened[key]

    new: dict[str, bytes] = {}
    for digest, key, small, kind, box, into in wanted if person.viewable else ():
        name = there.get(stem := f"{kind}-{digest[:16]}")
        if name is None:
            made = data.pictures(person.id, small) if small else None
            file = page_picture(stem, box, made, lambda key=key: picture(key))  # type: ignore[misc]
            if file is None:
                continue
            name = file[0]
            new[name] = file[1]
        into[digest] = pages.Shown(f"people/{person.id}/{name}", *size_in(name))
    replace_files(place, new)
    names = {Path(shown.src).name for group in (large, thumbs, selfies) for shown in group.values()}
    for path in place.iterdir() if place.is_dir() else ():
        if path.name not in names and not path.name.endswith(PART):  # that may be another's, who writes it now
            take_away(path)
    return pages.PersonPictures(large, {d: t for d, t in thumbs.items() if d in large}, selfies)


def _sweep(folder: Path, ids: set[str]) -> None:
    """Remove pages and folders of people who are not in the report, and assets nothing links to any more."""
    for path in (folder / "people").iterdir():
        if path.name.removesuffix(".html") not in ids:
            take_away(path)  # a forgetting beside us may be quicker
    current = set(asset_names().values())
    for path in (folder / "assets").iterdir():
        if f"assets/{path.name}" not in current:
            take_away(path)


def _write_text(path: Path, text: str) -> None:
    _write_bytes(path, text.encode())


def _write_bytes(path: Path, content: bytes) -> None:
    """Replace a file whole, and only when it changes."""
    try:
        there = path.read_bytes() if path.is_file() else None
    except FileNotFoundError:  # a forgetting beside us took it away
        there = None
    if there != content:
        replace_file(path, content)
