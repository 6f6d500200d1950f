"""The tables of a kit.toml, one class each: what may be said, in which units, and within which limits.

What is not named here is refused, so a misspelt key is an error and never a silent default. Lengths are shares
of the finished frame, never pixels, so one kit serves every size.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from tasks.vision.faces import Around

HEX_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
KIT_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
PLACEHOLDERS = {"who", "background", "light", "clothes", "expression"}


def _colour(value: str) -> str:
    if not HEX_COLOUR.fullmatch(value):
        raise ValueError("write the colour as # and six hex digits, like #c9ced6")
    return value.lower()


def _slug(value: str) -> str:
    if not KIT_NAME.fullmatch(value):
        raise ValueError("use lower-case letters, digits and hyphens, at most 40 of them")
    return value


Colour = Annotated[str, AfterValidator(_colour)]
Slug = Annotated[str, AfterValidator(_slug)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Section(BaseModel):
    """One table of kit.toml; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Backdrop(Section):
    """What is behind everybody. `picture` is a file beside kit.toml, cropped to cover the frame."""

    kind: Literal["colour", "gradient", "picture"] = "colour"
    colour: Colour = "#c9ced6"  # the brand colour; for a picture, what the prompts call the background
    to: Colour | None = None  # gradient: the other end
    shape: Literal["linear", "radial"] = "linear"
    angle: float = Field(default=90.0, ge=0.0, lt=360.0)  # linear: 0 = left to right, 90 = top to bottom
    centre: tuple[Share, Share] = (0.5, 0.42)  # radial: where `colour` is purest, as (x, y)
    radius: float = Field(default=0.8, gt=0.05, le=2.0)  # radial: where `to` is reached, in frame widths
    picture: str | None = None
    focus: tuple[Share, Share] = (0.5, 0.5)  # picture: the point that stays in view when it is cropped
    blur: float = Field(default=0.0, ge=0.0, le=0.2)  # Gaussian sigma in frame widths: depth of field
    vignette: float = Field(default=0.0, ge=0.0, le=0.8)  # light lost in the corners

    @model_validator(mode="after")
    def _complete(self) -> Backdrop:
        if self.kind == "gradient" and self.to is None:
            raise ValueError('a gradient needs its other end: add to = "#rrggbb"')
        if self.kind == "picture" and not self.picture:
            raise ValueError('a picture backdrop needs a file beside kit.toml: add picture = "backdrop.jpg"')
        if self.picture and Path(self.picture).name != self.picture:
            raise ValueError("picture must be the name of a file beside kit.toml, without folders")
        return self


class Lighting(Section):
    """How the person is lit. Sides are as seen by whoever looks at the picture."""

    style: Literal["softbox", "rembrandt"] = "softbox"
    key_side: Literal["left", "right", "front"] = "left"
    key_angle: float = Field(default=40.0, ge=0.0, le=80.0)  # degrees away from the camera's axis
    ratio: float = Field(default=2.0, ge=1.0, le=8.0)  # key to fill
    warmth: float = Field(default=0.0, ge=-1.0, le=1.0)  # of the light: -1 cool daylight, +1 warm tungsten


class Framing(Section):
    """Where the head sits. The eyes set scale and place; hair and hats never do."""

    aspect: Literal["1:1", "4:5", "3:4", "5:4"] = "1:1"
    width: int = Field(default=1024, ge=128, le=4096)  # pixels of the finished master
    eye_line: float = Field(default=0.43, ge=0.2, le=0.7)  # from the top, share of the height
    inter_eye: float = Field(default=0.2, ge=0.06, le=0.4)  # between the pupils, share of the width
    head_height: float = Field(default=0.70, ge=0.2, le=1.2)  # crown to chin without hair, share of the height
    centre: float = Field(default=0.5, ge=0.25, le=0.75)  # mid-point of the eyes, share of the width

    @property
    def height(self) -> int:
        """Pixels of the finished master."""
        across, down = (int(part) for part in self.aspect.split(":"))
        return round(self.width * down / across)

    @property
    def around(self) -> Around:
        """What the frame shows round the eyes."""
        down = self.height / self.width
        ends = (self.eye_line * down, self.centre, 1 - self.centre, (1 - self.eye_line) * down)
        return Around(*(end / self.inter_eye for end in ends))


class Garment(Section):
    """One choice in the wardrobe: offered to everybody alike."""

    key: Slug  # what a roster's Wardrobe column says
    label: str = Field(min_length=1, max_length=60)  # what people read
    words: str = Field(min_length=1, max_length=120)  # what the base model is told


class Wardrobe(Section):
    """What people wear. There is no gender anywhere in it, by design."""

    dress_code: Literal["formal", "business", "smart casual", "casual", "uniform"] = "business"
    choices: tuple[Garment, ...] = Field(min_length=1)
    default: Slug | None = None  # None: the first choice
    assign: Literal["default", "rotate"] = "default"  # rotate: spread over those who chose nothing
    keep_own: bool = True  # "keep" in the roster leaves people in what their selfies show

    @model_validator(mode="after")
    def _known(self) -> Wardrobe:
        keys = [garment.key for garment in self.choices]
        if len(set(keys)) != len(keys):
            raise ValueError("two choices have the same key; give each its own")
        if "keep" in keys:
            raise ValueError('"keep" means one\'s own clothes and cannot be a choice; rename it')
        if self.default is not None and self.default not in keys:
            raise ValueError(f"default must be one of the choices: {', '.join(keys)}")
        return self


class PromptWords(Section):
    """The sentence for one family of base models; the words in braces are filled in."""

    positive: str = Field(min_length=5, max_length=600)
    negative: str = Field(default="", max_length=600)

    @model_validator(mode="after")
    def _placeholders(self) -> PromptWords:
        named = set(re.findall(r"{([^{}]*)}", self.positive))
        if unknown := named - PLACEHOLDERS:
            raise ValueError(f"{{{sorted(unknown)[0]}}} is not one of {', '.join(sorted(PLACEHOLDERS))}")
        if "who" not in named:
            raise ValueError("a prompt must contain {who}: the words for the person")
        return self


class Tone(Section):
    """Global grading of the person, small on purpose: nothing here tells skin from cloth."""

    exposure: float = Field(default=0.0, ge=-0.5, le=0.5)  # stops
    contrast: float = Field(default=0.0, ge=-0.3, le=0.3)  # 0 leaves the curve straight
    saturation: float = Field(default=1.0, ge=0.8, le=1.2)
    sharpen: float = Field(default=0.5, ge=0.0, le=1.5)  # for size: the amount after the last resize


class Candidates(Section):
    """How many pictures each person gets to choose from, and how they may differ."""

    per_person: int = Field(default=4, ge=1, le=32)
    expressions: tuple[str, ...] = ("",)  # dealt over the candidates in turn; "" says nothing
    extra_rounds: int = Field(default=1, ge=0, le=5)  # new seeds when nobody reaches the floors


class Floors(Section):
    """Beyond these a finished picture is flagged. Likeness thresholds of each encoder lie with the eyes."""

    likeness: float = Field(default=0.5, ge=0.0, le=1.0)  # probability that it is the same person
    likeness_sure: float = Field(default=0.9, ge=0.0, le=1.0)  # below this a person has to look
    relative_likeness: float = Field(default=0.8, ge=0.0, le=1.5)  # against the selfies among themselves
    background: float = Field(default=1.0, gt=0.0, le=20.0)  # CIEDE2000 to the brand's backdrop
    halo: float = Field(default=3.0, gt=0.0, le=30.0)  # mean CIEDE2000 in the ring round the person
    holes: float = Field(default=0.005, gt=0.0, le=0.2)  # share of the background off by more than 5
    eye_line: float = Field(default=0.01, gt=0.0, le=0.2)
    centre: float = Field(default=0.01, gt=0.0, le=0.2)
    inter_eye: float = Field(default=0.01, gt=0.0, le=0.2)
    head_height: float = Field(default=0.04, gt=0.0, le=0.4)  # of one picture
    roll: float = Field(default=3.0, gt=0.0, le=20.0)  # degrees
    skin_shift: float = Field(default=12.0, gt=0.0, le=60.0)  # degrees ITA against the person's own selfies
    texture: tuple[float, float] = (0.6, 1.4)  # cheek texture over the selfies'
    # What finishing may do to the person, against the picture it was made of: beyond the tone of this kit, nothing.
    finished_light: float = Field(default=0.12, gt=0.0, le=2.0)  # stops lighter or darker
    finished_tint: float = Field(default=2.0, gt=0.0, le=20.0)  # distance in a*, b*
    finished_texture: tuple[float, float] = (0.85, 1.3)  # fine texture left; sharpening may add to the upper limit


class Output(Section):
    """One file of the delivery pack."""

    name: Slug
    title: str = ""
    width: int = Field(ge=16, le=4096)
    height: int = Field(ge=16, le=4096)
    format: Literal["jpeg", "png", "webp", "avif"] = "jpeg"
    quality: int = Field(default=92, ge=30, le=100)  # where the file starts; lowered to meet max_bytes
    max_bytes: int | None = Field(default=None, ge=2_000)
    dpi: int | None = Field(default=None, ge=72, le=1200)
    # contain: the backdrop fills what the frame does not; circle: the whole head lies inside the circle that is cut
    crop: Literal["cover", "contain", "circle"] = "cover"
    label: bool = False  # a visible one, below the face: words, or the icons in the kit's folder `labels/`
