"""A base model as a card: what it is, where its files lie, under which licence, and how to train and draw with it.

One TOML file per supported base in `base_models/`. Everything that differs between two bases and can be said in
numbers or names is said there; what must be said in code is a family (`tasks/vision/families/`). This module loads
no torch, so that planning and checking stay fast. Every error names the file, the key and the value.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from tasks.failures import RollcallError
from tasks.vision.families.known import FAMILIES

Quality = Literal["draft", "standard", "best"]
Share = Annotated[float, Field(gt=0, le=2)]


class UnknownBase(RollcallError):
    """No card of that name, or a card that cannot be understood."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LoraCard(_Table):
    """The shape of an adapter. `targets` are module name endings, as PEFT's `target_modules`; 3x3 convs are allowed."""

    rank: int = Field(16, ge=1, le=256)
    alpha: float | None = Field(None, gt=0, description="scale = alpha / rank; the rank itself when left out")
    targets: tuple[str, ...] = ()


class StartCard(_Table):
    """First weights that everybody's adapter starts from, made of drawn people (`synthetic.training.shared_start`)."""

    file: str = Field(description="safetensors with an adapter of the card's rank and targets, beside the weights")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of that file: another start makes other adapters")


class FewCard(_Table):
    """What differs for who sent few photos, each of which is then seen more often and may come back as it is."""

    steps: Share | tuple[Share, Share, Share, Share] = Field(
        0.6, description="times the usual steps; or so many times with one photo, two, three and four"
    )
    least: int = Field(1, ge=1, description="steps, whatever the share and the quality; never more than the usual ones")
    outside: float | None = Field(None, ge=0, le=1)
    crops: Literal["portrait", "mixed"] | None = None

    def shortened(self, usual: float, photos: int) -> float:
        """Steps with so many photos (1 to 4), of the usual ones."""
        share = self.steps if isinstance(self.steps, float) else self.steps[photos - 1]
        return min(usual, max(self.least, usual * share))


class TrainingCard(_Table):
    """How a person is learned: optimizer figures, and sample-steps per quality."""

    learning_rate: float = Field(1e-4, gt=0, le=1)
    weight_decay: float = Field(1e-2, ge=0, le=1)
    clip: float = Field(1.0, gt=0, description="largest gradient norm, per person")
    warmup: int = Field(10, ge=0, description="steps over which the learning rate rises")
    decay: Literal["constant", "cosine"] = "cosine"
    batch: int = Field(1, ge=1, le=64, description="samples per person and step")
    snr_gamma: float | None = Field(None, gt=0, description="min-SNR loss weight (sd, sdxl); none when left out")
    patience: int = Field(
        0, ge=0, description="a person stops after so many updates without progress on held-out noise"
    )
    mirror: bool = Field(False, description="also learn mirrored portraits; hurts people with a side parting")
    prior: str | None = Field(None, description="safetensors with class latents and captions, beside the weights")
    prior_share: float = Field(0.25, ge=0, le=0.5)
    preserve: float = Field(
        0.0, ge=0, le=10, description="weight of `a person` staying the base's own; without pictures"
    )
    start: StartCard | None = Field(None, description="none when left out: everybody starts from nothing")
    gaussian: bool = Field(False, description="A starts normal with 1 / rank, as the official scripts; else as PEFT")
    average: float = Field(0.0, ge=0, le=0.5, description="of the updates, the last ones whose weights are averaged")
    captions: Literal["one", "seen"] = Field("one", description="seen: each says wall, light and clothes as measured")
    caption_dropout: float = Field(0.05, ge=0, le=0.5, description="of the samples: the one sentence after all")
    outside: float = Field(1.0, ge=0, le=1, description="how much everything but the head counts in the loss")
    crops: Literal["portrait", "mixed"] = Field("portrait", description="mixed: also nearer and wider ones")
    true_sizes: bool = Field(False, description="the base is told the photo's true size (sdxl)")
    few: FewCard = FewCard.model_validate({})
    steps: dict[Quality, int] = Field(default={"draft": 300, "standard": 800, "best": 1200})
    ranks: dict[Quality, int] = Field(default_factory=dict)
    learning_rates: dict[Quality, float] = Field(default_factory=dict)
    resolutions: dict[Quality, int] = Field(default_factory=dict)
    batches: dict[Quality, int] = Field(default_factory=dict)

    @property
    def class_pictures(self) -> str | None:
        """The file of those, where any are shown."""
        return self.prior if self.prior_share else None


class FaceWallCard(_Table):
    """The wall before which the inside of a face is drawn, where a base lets a strong wall pull skin along."""

    word: str = Field(min_length=1, description="as a prompt names it")
    colour: str = Field(pattern=r"^#[0-9a-fA-F]{6}$", description="sRGB, as the base draws it")


class RenderCard(_Table):
    """How this base draws well: evaluations, guidance, size."""

    steps: int = Field(20, ge=1, le=200)
    guidance: float = Field(5.0, ge=1)
    guidance_rescale: float = Field(0.0, ge=0, le=1)
    negative: str = ""
    grammar: Literal["full", "small"] = Field("full", description="small: only the words of drawn people's captions")
    size: int | None = None
    face_wall: FaceWallCard | None = Field(None, description="before which faces are drawn; the kit's when left out")
    own_photo: bool = Field(False, description="the person's best photo is shown beside the prompt (flux2-klein)")
    drawn_by: str | None = Field(None, description="the card of weights distilled from this base, which draw instead")


class MemoryCard(_Table):
    """GiB on the device; planning figures from `benchmarks/cohort.py`, used before anything is loaded."""

    base: float = Field(2.0, gt=0, description="frozen weights of the denoiser in the compute type")
    sample: float = Field(1.0, gt=0, description="saved activations of one training sample at `resolution`")
    sample_checkpointed: float | None = Field(None, gt=0)
    adapter: float = Field(0.1, gt=0, description="weights, gradient and both moments of one person at `rank`")


class BaseCard(_Table):
    """One base model. `name` and `folder` come from the file's place, everything else from its text."""

    name: str
    folder: Path = Field(description="where the weights lie: a diffusers folder, safetensors only")
    title: str
    family: str
    path: str | None = None
    repository: str | None = None
    revision: str | None = Field(None, pattern=r"^[0-9a-f]{40}$", description="the full commit id")
    licence: str
    licence_url: str | None = None
    trained_from: str | None = Field(None, description="of distilled weights, which cannot learn: the base that can")
    restrictions: str = Field("", description="what the licence forbids or asks for, in a sentence for who accepts it")
    commercial_use: bool
    world: Literal["drawn", "real"] = Field("real", description="whom it can draw: people of synthetic/, or real ones")
    about: str = ""
    variant: str | None = Field(None, pattern=r"^[a-z]\w*$", description="which weights of several, such as fp16")
    files: dict[str, str] = Field(default_factory=dict, description="sha256 by path: counts before the hub's")
    vae: str = Field("vae", pattern=r"^vae[a-z0-9-]*$", description="which autoencoder of the folder draws (sd)")
    resolution: int = Field(ge=16, le=4096, description="where left out, and `latent_factor` too: as `vae` was made")
    latent_channels: int = Field(4, ge=1)
    latent_factor: int = Field(8, ge=1, description="pixels per latent cell, each way")
    token: str = Field("sks", pattern=r"^\S+$")
    text_length: int | None = Field(None, ge=1, description="prompt tokens, for families that pad to a fixed length")
    text_layers: tuple[int, ...] | None = None
    lora: LoraCard = LoraCard.model_validate({})
    training: TrainingCard = TrainingCard.model_validate({})
    render: RenderCard = RenderCard.model_validate({})
    memory: MemoryCard = MemoryCard.model_validate({})

    @field_validator("family")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in FAMILIES:
            raise ValueError(f"there is no family of this name; known: {', '.join(FAMILIES)}")
        return value

    @model_validator(mode="after")
    def _has_a_source(self) -> "BaseCard":
        if (self.path is None) == (self.repository is None):
            raise ValueError("give either `path` (a folder beside this file) or `repository` with `revision`")
        if self.repository is not None and self.revision is None:
            raise ValueError("`repository` needs `revision`: a base that changes under our feet is another base")
        if self.resolution % self.latent_factor:
            raise ValueError(f"`resolution` {self.resolution} is no multiple of `latent_factor` {self.latent_factor}")
        if self.training.true_sizes and self.training.prior:
            raise ValueError("`true_sizes` and `prior` do not go together: prior pictures have no size of their own")
        if self.vae != "vae" and self.family != "sd":
            raise ValueError("`vae` can be chosen for the family sd only")
        if self.render.own_photo and not FAMILIES[self.family].takes_pictures:
            raise ValueError(f"`own_photo`: the family {self.family} takes no picture beside the prompt")
        return self

    @property
    def targets(self) -> tuple[str, ...]:
        return self.lora.targets or FAMILIES[self.family].targets

    @property
    def speech(self) -> str:
        """Which of a kit's prompts it understands: those for its family, or the small grammar's."""
        return "small" if self.small_grammar else self.family

    @property
    def small_grammar(self) -> bool:
        """Whether it understands the few words of drawn people's captions, and no other."""
        return self.render.grammar == "small"

    @property
    def alpha(self) -> float:
        return self.lora.alpha if self.lora.alpha is not None else float(self.lora.rank)

    @property
    def reading(self) -> tuple[int, ...]:
        """Tokens of a prompt (0: as many as the family takes) and the encoder's layers, where the card says either."""
        said = self.text_length is not None or self.text_layers is not None
        return (self.text_length or 0, *(self.text_layers or ())) if said else ()

    @property
    def render_size(self) -> int:
        return self.render.size or self.resolution


def list_bases(folder: Path) -> list[str]:
    """Names of all base models in `folder`: TOML files that name a family (other models have cards there too)."""
    return sorted(
        path.stem for path in folder.glob("*.toml") if "family" in tomllib.loads(path.read_text(encoding="utf-8"))
    )


def _sizes(table: dict[str, Any], place: Path) -> dict[str, int]:
    """Pixels and pixels per latent cell of the autoencoder that the card chooses, where it can be asked."""
    config = place / str(table.get("vae", "vae")) / "config.json"
    if table.get("family") != "sd" or "resolution" in table or not config.is_file():
        return {}
    known = json.loads(config.read_text(encoding="utf-8"))
    return {"resolution": known["sample_size"], "latent_factor": 2 ** (len(known["block_out_channels"]) - 1)}


def load_base_card(name: str, folder: Path) -> BaseCard:
    """Read `folder/name.toml`; weights are expected in `folder/<path or name>`."""
    path = folder / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(list_bases(folder)) if folder.is_dir() else "none"
        raise UnknownBase(f"{path}: there is no base model {name!r}; known: {known}")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise UnknownBase(f"{path}: not TOML: {broken}") from broken
    place = folder / (table.get("path") or name)
    try:
        return BaseCard.model_validate(_sizes(table, place) | table | {"name": name, "folder": place})
    except ValidationError as wrong:
        raise UnknownBase(f"{path}: " + "; ".join(_said(item, place) for item in wrong.errors())) from wrong


def _said(item: Mapping[str, Any], place: Path) -> str:
    """One error in a line: key, what is wrong, and the value, where there is one."""
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] != "missing":
        return f"{key}: {item['msg']} (is {item['input']!r})" if key else item["msg"]
    asked = f", and there is no autoencoder in {place} that would say it: are the base's files there?"
    return f"{key}: is missing" + (asked if key == "resolution" else "")
