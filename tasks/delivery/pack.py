"""A pack: the files that one directory takes, as data; what it is for, how it is handed over, where its limits stand.

The house's packs lie in `packs/`, a company's own in the folder that the settings name; one of the same name there
takes the place of the house's. One broken pack breaks only itself, and says in which file, at which key. A brand kit's
own sizes are a pack as well, called `kit`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import Field, ValidationError, model_validator

from tasks.delivery.names import DEFAULT, BadTemplate, check_template
from tasks.failures import RollcallError
from tasks.headshots.kit import BrandKit, say_problem
from tasks.headshots.kit_sections import Output, Section, Slug
from tasks.sentences import tell
from tasks.vault.failures import NotLikeThis

HOUSE = Path(__file__).with_name("packs")
KIT = "kit"  # the name of a brand kit's own sizes; no file may have it


class Snippet(Section):
    """A block of HTML for each person, for e-mail signatures."""

    picture: Slug  # which of the pack's files it shows
    shown: int = Field(default=96, ge=16, le=400)  # px: half of the file's or less, for sharp screens
    # Where the pictures can be had, with {file} for a file's name. Empty: beside the snippet, as Outlook wants it.
    address: str = Field(default="", pattern=r"^(https://[^\s\"'<>]*\{file\}[^\s\"'<>]*)?$")


class Pack(Section):
    """One pack, checked."""

    name: Slug
    title: str = Field(min_length=1, max_length=80)
    purpose: str = Field(default="", max_length=200)  # what it is for, in a sentence for HR
    steps: tuple[str, ...] = ()  # how the files are handed over, in the order in which it is done
    source: str = ""  # where the limits stand
    looked_up: date | None = None
    names: str = DEFAULT  # the template of its file names
    files: tuple[Output, ...] = Field(min_length=1)
    snippet: Snippet | None = None

    @model_validator(mode="after")
    def _whole(self) -> Pack:
        names = [output.name for output in self.files]
        if len(set(names)) != len(names):
            raise ValueError("two files have the same name, so one would overwrite the other")
        if self.snippet and self.snippet.picture not in names:
            raise ValueError(f"snippet.picture must be one of its files: {', '.join(names)}")
        try:
            check_template(self.names)
        except BadTemplate as wrong:
            raise ValueError(f"names: {wrong}") from wrong
        return self

    def sizes(self) -> tuple[Size, ...]:
        """Its files, each with the folder that it lies in."""
        alone = len(self.files) == 1
        own = self.name != KIT  # a kit's sizes have always lain in folders of their own names
        return tuple(
            Size(self, output, (self.name if alone else f"{self.name}/{output.name}") if own else output.name)
            for output in self.files
        )


@dataclass(frozen=True)
class Size:
    """One file for each person: of which pack, how it is made, and below which folder it lies; that names it, too."""

    pack: Pack
    output: Output
    folder: str


class PackError(RollcallError):
    """A pack that cannot be used; the message is for whoever wrote it."""


def kit_pack(kit: BrandKit) -> Pack:
    """The kit's own sizes."""
    return Pack(
        name=KIT,
        title=tell("deliver.kit_sizes"),
        purpose=tell("deliver.kit_purpose", kit=kit.title),
        steps=(tell("deliver.kit_steps"),),
        files=kit.outputs,
    )


def sort_packs(own: Path | None) -> tuple[dict[str, Pack], dict[str, str]]:
    """The packs that can be used, and what is wrong with the others; both by name, in order."""
    paths = {path.stem: path for folder in (HOUSE, own) if folder for path in sorted(folder.glob("*.toml"))}
    sound: dict[str, Pack] = {}
    broken: dict[str, str] = {}
    for name in sorted(paths):
        try:
            sound[name] = read_pack(paths[name])
        except PackError as wrong:
            broken[name] = str(wrong)
    return sound, broken


def read_pack(path: Path) -> Pack:
    """One pack's file. PackError says in which file and at which key something is wrong, and what would do."""
    if path.stem == KIT:
        raise PackError(f"{path}: a pack cannot be called {KIT}: that means the kit's own sizes; rename the file")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PackError(f"{path}: not readable as TOML: {error}") from error
    except OSError as error:
        raise PackError(f"{path}: cannot be read ({error.strerror}); look at its owner and mode") from error
    if "name" in content:
        raise PackError(f"{path}: name: a pack is called what its file is called; remove this line")
    try:
        return Pack.model_validate({"name": path.stem, **content})
    except ValidationError as error:
        raise PackError("\n".join(say_problem(path, problem) for problem in error.errors())) from error


def choose_packs(kit: BrandKit, own: Path | None, wanted: Iterable[str]) -> list[Pack]:
    """The packs of these names; the kit's own sizes when none is named. NotLikeThis for an unknown or a broken one, and
    for two that would share a folder."""
    names = list(dict.fromkeys(wanted)) or [KIT]
    sound, broken = sort_packs(own)
    sound[KIT] = kit_pack(kit)
    for name in names:
        if name in broken:
            raise NotLikeThis(tell("packs.broken", why=broken[name]))
        if name not in sound:
            raise NotLikeThis(tell("packs.unknown", packs=", ".join([KIT, *sorted(sound.keys() - {KIT})])))
    chosen = [sound[name] for name in names]
    _refuse_shared([size for pack in chosen for size in pack.sizes()])
    return chosen


def _refuse_shared(sizes: Sequence[Size]) -> None:
    seen: dict[str, str] = {}
    for size in sizes:
        top = size.folder.split("/")[0]
        if seen.setdefault(top, size.pack.name) != size.pack.name:
            raise NotLikeThis(tell("packs.one_folder", one=seen[top], other=size.pack.name, folder=top))
