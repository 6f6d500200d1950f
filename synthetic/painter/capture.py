"""How one picture was taken: pose, expression, clothes, light, camera, background, noise. Separate from who it is."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from synthetic.painter.caption import GARMENT_WORDS, SELFIE_LIGHTS, STUDIO_LIGHTS, caption, describe
from synthetic.painter.identity import Identity
from synthetic.painter.palette import BACKDROP, CLOTH, SCENES
from synthetic.painter.parameters import WEAR

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Capture:
    """One shot of somebody. `numbers` holds every name of `parameters.CAPTURE`; angles in radians, lengths in 10 cm."""

    seed: int
    kind: str  # studio, selfie
    numbers: dict[str, float]
    camera: tuple[float, float, float, float]  # x, y, distance, half width of the frame at distance
    exposure: float
    noise: float  # standard deviation of sensor noise, 0..1
    blur: float  # standard deviation of lens blur in thousandths of the frame
    light: str
    light_direction: tuple[float, float, float]
    background: str
    background_seed: int
    clothes: str
    smiling: bool
    yaw: float
    pitch: float
    roll: float

    def caption(self, who: str = "a person") -> str:
        return caption(self.kind, who, self.background, self.light, self.clothes, self.smiling)

    def before(self, background: str, seed: int) -> "Capture":
        """The same shot before another background."""
        return replace(self, background=background, background_seed=seed)


def rotation(yaw: float, pitch: float, roll: float) -> Array:
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (math.cos, math.sin))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    return np.asarray(about_y @ about_x @ np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1.0]]))


def direction(azimuth: float, elevation: float) -> Array:
    c = math.cos(elevation)
    return np.array([math.sin(azimuth) * c, math.sin(elevation), math.cos(azimuth) * c])


@dataclass(frozen=True)
class CaptureWish:
    """What a caller wants decided; everything else is drawn. Names as in the caption grammar."""

    background: str | None = None
    garment: str | None = None  # one of parameters.WEAR
    colour: str | None = None  # of palette.CLOTH
    light: str | None = None
    frontal: float = 1.0  # scales yaw, pitch and roll
    sunglasses: bool = False
    glasses: bool | None = None  # on or off for this picture; None keeps the person's own
    smile: float | None = None
    yaw: float | None = None  # radians; instead of a drawn one


def _pose(r: np.random.Generator, selfie: bool, wish: CaptureWish) -> tuple[dict[str, float], float, float, float]:
    u = r.uniform
    if selfie:
        yaw, pitch, roll = u(-0.5, 0.5), u(-0.18, 0.15), u(-0.15, 0.15)
        body = yaw * u(0.1, 0.6)
    else:
        yaw, pitch, roll = u(-0.28, 0.28), u(-0.06, 0.05), u(-0.05, 0.05)
        body = yaw + u(-0.22, 0.22)
    yaw, pitch, roll, body = (float(a * wish.frontal) for a in (yaw, pitch, roll, body))
    if wish.yaw is not None:
        yaw, body = wish.yaw, wish.yaw * 0.5
    turn = rotation(yaw, pitch, roll)
    numbers = {f"r{i}{j}": float(turn[i, j]) for i in range(3) for j in range(3)} | {"byaw": body}
    mood = r.random()
    smile = u(0.18, 0.6) if mood < 0.5 else (u(0.6, 1.0) if mood < 0.85 else u(0.02, 0.18))
    smile = float(smile if wish.smile is None else wish.smile)
    open_ = (
        u(0.35, 0.8) if smile > 0.45 and r.random() < 0.6 else (u(0.0, 0.25) if selfie and r.random() < 0.2 else 0.0)
    )
    numbers |= {
        "smile": smile,
        "mopen": float(open_),
        "brow_up": float(u(-0.1, 0.7)),
        "squint": float(np.clip(0.22 * smile + u(-0.1, 0.18), 0, 0.55)),
        "gazex": float(np.clip(-math.sin(yaw) * 0.50 + u(-0.04, 0.04), -0.32, 0.32)),
        "gazey": float(np.clip(math.sin(pitch) * 0.5, -0.12, 0.12)),
        "shades": float(wish.sunglasses),
    }
    return numbers, yaw, pitch, roll


def _clothes(r: np.random.Generator, selfie: bool, person: Identity, wish: CaptureWish) -> tuple[dict[str, float], str]:
    at_home = {"crew": 0.38, "vneck": 0.15, "hoodie": 0.18, "turtleneck": 0.08, "shirt": 0.16, "blazer": 0.05}
    at_work = {"suit": 0.40, "shirt": 0.20, "blazer": 0.17, "turtleneck": 0.09, "vneck": 0.08, "crew": 0.06}
    weights = at_home if selfie else at_work
    garment = wish.garment or str(r.choice(list(weights), p=np.asarray(list(weights.values()))))
    if person.cover == "hijab" and not wish.garment:  # high collars and hoods do not go under a scarf
        garment = {"suit": "blazer", "shirt": "crew", "turtleneck": "crew", "hoodie": "vneck"}.get(garment, garment)
    formal = ("navy", "charcoal", "black", "grey", "burgundy", "beige")
    jacket = garment in ("suit", "blazer")
    drawn = str(r.choice(formal, p=(0.33, 0.27, 0.15, 0.12, 0.06, 0.07)) if jacket else r.choice(list(CLOTH)))
    colour = wish.colour or drawn
    inner = str(r.choice(("white", "white", "light blue", "black" if person.feminine else "white", "pink")))
    blade = str(r.choice(("burgundy", "navy", "teal", "grey", "black", "green")))
    tied = garment == "suit" and not person.feminine and bool(r.random() < 0.55)
    numbers = {"wear": float(WEAR.index(garment)), "tie": float(tied), "c_open": _opening(r, tied)}
    for letter, name in (("1", colour), ("2", inner), ("3", blade)):
        numbers |= dict(zip((f"c{letter}r", f"c{letter}g", f"c{letter}b"), CLOTH[name], strict=True))
    return numbers, f"{colour} {GARMENT_WORDS[garment]}{' and tie' if tied else ''}"


def _opening(r: np.random.Generator, tied: bool) -> float:
    """How far a collar is open: shut under a tie and sometimes without, else a clear V."""
    wide = float(r.uniform(0.6, 1.1))
    return 0.0 if tied or r.random() < 0.3 else wide


def _lamps(
    key: Array, key_colour: Array, fill: Array, fill_power: float, rim: Array, rim_power: float
) -> dict[str, float]:
    numbers: dict[str, float] = {}
    cool, white = np.array([0.97, 1.0, 1.03]) * fill_power, np.array([1.0, 1.0, 1.02]) * rim_power
    for letter, toward, colour in (("k", key, key_colour), ("f", fill, cool), ("r", rim, white)):
        numbers |= {f"{letter}l{axis}": float(v) for axis, v in zip("xyz", toward, strict=True)}
        numbers |= {f"{letter}{channel}": float(v) for channel, v in zip("rgb", colour, strict=True)}
    return numbers


def _sky(sky: Array, ground: Array) -> dict[str, float]:
    up = {f"a{channel}": float(v) for channel, v in zip("rgb", sky, strict=True)}
    return up | {f"gnd{channel}": float(v) for channel, v in zip("rgb", ground, strict=True)}


def _selfie_light(r: np.random.Generator, wish: CaptureWish) -> tuple[dict[str, float], str, Array, float]:
    u = r.uniform
    name = wish.light or str(r.choice(SELFIE_LIGHTS, p=(0.22, 0.22, 0.14, 0.2, 0.12, 0.10)))
    side = float(r.choice((-1, 1)))
    azimuth, elevation, power, tint = {
        "window light from the left": (u(-1.2, -0.7), u(0.2, 0.6), u(1.8, 2.4), (0.98, 1.0, 1.05)),
        "window light from the right": (u(0.7, 1.2), u(0.2, 0.6), u(1.8, 2.4), (0.98, 1.0, 1.05)),
        "overhead light": (u(-0.4, 0.4), u(0.9, 1.15), u(1.6, 2.0), (1.05, 1.0, 0.92)),
        "soft daylight": (u(-0.6, 0.6), u(0.4, 0.8), u(1.1, 1.5), (0.98, 1.0, 1.04)),
        "warm lamp light": (side * u(0.5, 1.1), u(0.1, 0.5), u(1.6, 2.2), (1.22, 0.95, 0.66)),
        "flash": (u(-0.1, 0.1), u(0.0, 0.15), u(1.7, 2.1), (1.0, 1.0, 1.0)),
    }[name]
    ambient = u(0.32, 0.58)
    key = direction(azimuth, elevation)
    numbers = _lamps(
        key,
        np.asarray(tint) * power,
        direction(-azimuth * 0.6, u(-0.2, 0.3)),
        u(0.12, 0.38),
        direction(math.pi + u(-0.9, 0.9), u(0.3, 0.9)),
        u(0.0, 0.5),
    )
    numbers |= _sky((np.asarray(tint) * 0.5 + 0.5) * ambient, np.array([0.9, 0.85, 0.78]) * ambient * 0.5)
    return numbers, name, key, float(u(0.84, 1.12))


def _studio_light(r: np.random.Generator, wish: CaptureWish) -> tuple[dict[str, float], str, Array, float]:
    u = r.uniform
    name = wish.light or str(r.choice(STUDIO_LIGHTS))
    side = -1.0 if "left" in name else (1.0 if "right" in name else float(r.choice((-1, 1))))
    hard = name == "rembrandt light"
    azimuth = side * (u(0.25, 0.5) if name == "softbox light" else (u(0.85, 1.0) if hard else u(0.55, 0.8)))
    key = direction(azimuth, u(0.45, 0.7))
    ambient = u(0.15, 0.22) if hard else u(0.30, 0.44)
    numbers = _lamps(
        key,
        np.array([1.02, 1.0, 0.97]) * u(1.75, 2.1),
        direction(-azimuth * 1.1, u(-0.1, 0.25)),
        0.14 if hard else u(0.32, 0.52),
        direction(math.pi - side * u(0.5, 0.9), u(0.35, 0.7)),
        u(0.8, 1.8),
    )
    numbers |= _sky(np.array([0.97, 1.0, 1.04]) * ambient, np.array([0.95, 0.95, 0.95]) * ambient * 0.7)
    return numbers, name, key, float(u(0.95, 1.05))


def draw_capture(seed: int, person: Identity, kind: str, wish: CaptureWish | None = None) -> Capture:
    """A shot of `person`; `kind` is "studio" or "selfie"."""
    wish = wish or CaptureWish()
    r = np.random.default_rng((seed, 7919))
    selfie = kind == "selfie"
    numbers, yaw, pitch, roll = _pose(r, selfie, wish)
    worn, words = _clothes(r, selfie, person, wish)
    lamps, light, key, exposure = _selfie_light(r, wish) if selfie else _studio_light(r, wish)
    u = r.uniform
    camera = (
        (u(-0.30, 0.30), u(-0.35, 0.12), u(4.2, 5.5), u(1.55, 2.05))
        if selfie
        else (u(-0.06, 0.06), u(-0.36, -0.24), 8.5, u(1.60, 1.74))
    )
    background = wish.background or str(r.choice(SCENES if selfie else list(BACKDROP)))
    return Capture(
        seed=seed,
        kind=kind,
        numbers=numbers | worn | lamps,
        camera=(*(float(c) for c in camera),),  # type: ignore[arg-type]
        exposure=exposure,
        noise=float(u(0.003, 0.011)) if selfie else 0.0015,
        blur=float(u(0.0, 1.6)) if selfie else 0.0,
        light=light,
        light_direction=(float(key[0]), float(key[1]), float(key[2])),
        background=background,
        background_seed=int(r.integers(1 << 30)),
        clothes=words,
        smiling=numbers["smile"] > 0.5,
        yaw=yaw,
        pitch=pitch,
        roll=roll,
    )


def worn_by(person: Identity, wish: CaptureWish | None) -> dict[str, float]:
    """The person's numbers, with glasses put on or taken off when the shot asks for it."""
    if wish is None or wish.glasses is None:
        return person.numbers
    return person.numbers | {"g_on": float(wish.glasses)}


def garment_of(capture: Capture) -> str:
    return WEAR[int(capture.numbers["wear"])]


__all__ = ["Capture", "CaptureWish", "describe", "draw_capture", "garment_of", "rotation", "worn_by"]
