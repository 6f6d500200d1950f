"""A brand kit: everything that makes a company's pictures one set, in one file people can read and write.

`brand_kits/<name>/kit.toml` is the whole of it (plus a picture, where the backdrop is one). Errors name the
file, the key, the value found and what would do, because the reader is a designer and not a programmer. A kit's
digest is made of what changes pixels or verdicts, so that renaming a kit's title or adding a delivery size
renders nothing again, and moving its eye line does.
"""

from __future__ import annotations

import functools
import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr, ValidationError, model_validator

from tasks.failures import RollcallError
from tasks.headshots.kit_sections import (
    Backdrop,
    Candidates,
    Colour,
    Floors,
    Framing,
    Lighting,
    Output,
    PromptWords,
    Section,
    Slug,
    Tone,
    Wardrobe,
)
from tasks.vault.seat_kits import kit_names
from tasks.vision.faces import Around

WITHOUT_EFFECT_ON_PICTURES: dict[str, Any] = {
    **dict.fromkeys(("name", "title", "description", "palette", "outputs"), True),
    "floors": {"likeness_sure"},  # younger than the first kits, whose digests stand in records
}
LARGEST_PICTURE = 40 * 1024 * 1024  # bytes


class KitError(RollcallError):
    """A kit that cannot be used; the message is meant for the person who wrote it."""


class BrandKit(Section):
    """One kit, checked. `name` is the folder's; only `load_kit` makes one from a file."""

    name: Slug
    title: str = Field(min_length=1, max_length=80)
    description: str = Field(default="", max_length=400)
    palette: tuple[Colour, ...] = ()
    backdrop: Backdrop = Backdrop()
    lighting: Lighting = Lighting()
    framing: Framing = Framing()
    wardrobe: Wardrobe
    prompts: dict[str, PromptWords] = Field(default_factory=dict)  # by family; shots.py knows one for each
    tone: Tone = Tone()
    candidates: Candidates = Candidates()
    floors: Floors = Floors()
    outputs: tuple[Output, ...] = Field(min_length=1)

    _picture: bytes | None = PrivateAttr(default=None)  # the backdrop picture's file, read with the kit

    @model_validator(mode="after")
    def _outputs_named_once(self) -> BrandKit:
        names = [output.name for output in self.outputs]
        if len(set(names)) != len(names):
            raise ValueError("two outputs have the same name, so one file would overwrite the other")
        return self

    @property
    def picture(self) -> bytes | None:
        """The bytes of the backdrop picture, if the backdrop is one."""
        return self._picture


@functools.lru_cache(maxsize=8)
def kit_from(content: str, picture: bytes | None) -> BrandKit:
    """A kit read back from its own JSON (`model_dump_json`) and the backdrop's file: how it reaches other processes."""
    kit = BrandKit.model_validate_json(content)
    kit._picture = picture
    return kit


def list_kits(folder: Path) -> list[str]:
    """Names of the kits in a folder, sorted."""
    return kit_names(folder)


def sort_kits(folder: Path) -> tuple[dict[str, BrandKit], dict[str, str]]:
    """The kits that can be used, and what is wrong with the others, both by name: one broken kit breaks only itself."""
    sound: dict[str, BrandKit] = {}
    broken: dict[str, str] = {}
    for name in list_kits(folder):
        try:
            sound[name] = load_kit(name, folder)
        except KitError as wrong:
            broken[name] = str(wrong)
        except OSError as wrong:
            broken[name] = f"{folder / name}: cannot be read ({type(wrong).__name__}); look at its owner and mode"
    return sound, broken


def frames_of(folder: Path) -> tuple[tuple[str, Around], ...]:
    """By name, what the frame of each kit that can be used shows round the eyes."""
    return tuple((name, kit.framing.around) for name, kit in sort_kits(folder)[0].items())


def load_kit(name: str, folder: Path) -> BrandKit:
    """Read and check `folder/name/kit.toml`; raises KitError with a sentence for each thing that is wrong."""
    if name not in (known := list_kits(folder)):
        raise KitError(f"no brand kit called {name!r} in {folder}; there are: {', '.join(known) or 'none'}")
    path = folder / name / "kit.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KitError(f"{path}: not readable as TOML: {error}") from error
    if "name" in content:
        raise KitError(f"{path}: name: a kit is called what its folder is called; remove this line")
    try:
        kit = BrandKit.model_validate({"name": name, **content})
    except ValidationError as error:
        raise KitError("\n".join(say_problem(path, problem) for problem in error.errors())) from error
    if kit.backdrop.picture:
        kit._picture = _read_picture(path, kit.backdrop.picture)
    return kit


def kit_digest(kit: BrandKit) -> str:
    """What a kit does to pictures, in 64 hex digits: equal digests mean equal pictures from equal seeds."""
    content = kit.model_dump(mode="json", exclude=WITHOUT_EFFECT_ON_PICTURES)
    if kit.picture is not None:
        content["picture_sha256"] = hashlib.sha256(kit.picture).hexdigest()
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def new_kit(name: str, folder: Path) -> Path:
    """Start `folder/name/kit.toml` from the starter file beside this module; returns its path."""
    path = folder / name / "kit.toml"
    if path.exists():
        raise KitError(f"{path} is there already; choose another name or edit that one")
    starter = Path(__file__).with_name("starter_kit.toml").read_text(encoding="utf-8")
    text = starter.replace("@TITLE@", name.replace("-", " ").title())
    try:
        BrandKit.model_validate({"name": name, **tomllib.loads(text)})
    except ValidationError as error:
        raise KitError("\n".join(say_problem(path, problem) for problem in error.errors())) from error
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _read_picture(path: Path, picture: str) -> bytes:
    file = path.parent / picture
    if not file.is_file():
        raise KitError(f"{path}: backdrop.picture: {picture!r} is not in {path.parent}; put the file there")
    if file.stat().st_size > LARGEST_PICTURE:
        raise KitError(f"{path}: backdrop.picture: {picture!r} is larger than 40 MiB; save a smaller JPEG")
    return file.read_bytes()


def say_problem(path: Path, problem: Any) -> str:
    """One pydantic error as: file: key: what was found; what would do."""
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in problem["loc"])
    key = "".join(parts).lstrip(".")
    kind, found = problem["type"], problem.get("input")
    if kind == "missing":
        return f"{path}: {key}: missing; add it"
    if kind == "extra_forbidden":
        return f"{path}: {key}: no such key; check the spelling or remove it"
    what = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    shown = "" if isinstance(found, dict | list) else f"{found!r} will not do; "
    return f"{path}: {key or 'the file'}: {shown}{what}"
