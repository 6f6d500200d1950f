"""The TOML beside the networks: which file does what, its sha256 and licence, and the thresholds fitted for it.

A threshold without its encoder is meaningless, and a network without its hash is anybody's: so both live here, and
a file that does not match is refused before it is opened.
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.shipped import SHIPPED
from tasks.vision.faces import EyesMissing, QualityLimits, Thresholds

EMBEDDED_CARD = SHIPPED / "base_models" / "eyes" / "eyes.toml"  # its networks lie beside it
OPENCV_CARD = SHIPPED / "base_models" / "opencv_eyes.toml"  # its networks lie in `Settings.models`


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NetworkCard(_Strict):
    """One network file."""

    file: str
    sha256: str
    bytes: int
    licence: str
    origin: str
    url: str = ""  # where `rollcall models pull` fetches it; empty for what no public address serves
    inside: str = ""  # the file's path in the zip (a wheel) that the address serves
    note: str = ""


class ThresholdCard(_Strict):
    """`Thresholds` as written in TOML, with where they come from."""

    fitted_on: str
    same: float
    belongs: float
    stranger: float
    twin_folder: float
    likeness_slope: float
    likeness_bias: float
    margin: float
    likeness: float
    twin_pairs: float | None = None

    def thresholds(self) -> Thresholds:
        return Thresholds(**self.model_dump(exclude={"fitted_on"}))


class EncoderCard(NetworkCard):
    """An identity encoder and its thresholds."""

    name: str
    thresholds: ThresholdCard


class EyesCard(_Strict):
    """All networks of one pair of eyes. Encoders stand in order of preference: first embedder, last judge."""

    name: str
    title: str
    finder: NetworkCard
    landmarks: NetworkCard | None = None
    matter: NetworkCard
    witness: NetworkCard | None = None  # another matting net, which checks what the first one cut; eyes open without
    encoders: list[EncoderCard]
    limits: dict[str, float] = {}

    def quality_limits(self) -> QualityLimits:
        values = {k: int(v) if k == "duplicate_bits" else v for k, v in self.limits.items()}
        return QualityLimits(**values)  # type: ignore[arg-type]  # one int among floats

    def networks(self) -> list[NetworkCard]:
        """Every file named, for pulling and checking."""
        found: list[NetworkCard] = [self.finder, self.matter, *self.encoders]
        return found + [n for n in (self.landmarks, self.witness) if n is not None]


def read_eyes_card(path: Path) -> EyesCard:
    """The card at `path`; errors name the file and the key."""
    if not path.is_file():
        raise EyesMissing(f"{path.name} is not in {path.parent}; `python -m synthetic.eyes.train` makes it")
    try:
        return EyesCard.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise EyesMissing(f"{path}: {error}") from error


def lacking(card: EyesCard, folder: Path) -> list[NetworkCard]:
    """The files without which these eyes do not open: of the encoders one is enough, and the best is asked for."""
    needed = [card.finder, card.matter]
    if not any(state_of(folder, encoder) == "here" for encoder in card.encoders):
        needed.append(card.encoders[0])
    return [network for network in needed if state_of(folder, network) != "here"]


State = Literal["here", "missing", "another file"]  # the last: of that name, but not the one that was pinned


def eyes_places(models: Path) -> list[tuple[EyesCard, Path]]:
    """Every pair of eyes there is a card for, and the folder of its files."""
    return [
        (read_eyes_card(EMBEDDED_CARD), EMBEDDED_CARD.parent),
        (read_eyes_card(OPENCV_CARD), models),
    ]


def state_of(folder: Path, network: NetworkCard) -> State:
    """What lies where this network belongs."""
    path = folder / network.file
    if not path.is_file():
        return "missing"
    return "here" if _sha256(path) == network.sha256 else "another file"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checked_file(folder: Path, network: NetworkCard, remedy: str) -> Path:
    """The network's file, if it is there and is the one that was pinned."""
    state = state_of(folder, network)
    if state == "missing":
        raise EyesMissing(f"{network.file} is not in {folder}; {remedy}")
    if state == "another file":
        raise EyesMissing(f"{folder / network.file} is not the pinned file (sha256 differs); {remedy}")
    return folder / network.file
