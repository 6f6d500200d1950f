"""Who somebody is: everything about a person that stays the same in every picture of them, drawn from one seed.

The draw is meant to let everybody find themselves: skin over the whole Monk scale, ages from twenties to sixties, hair
from straight to tightly coiled and locs, head scarves and turbans, glasses, hearing aids, beards, moles, baldness.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthetic.painter.dice import Dice
from synthetic.painter.grooming import draw_beard, draw_hair, draw_style
from synthetic.painter.palette import AIDS, CLOTH, FRAMES, HAIR, IRIS, SKIN
from synthetic.painter.parameters import COVERS, HAIR_KINDS, IDENTITY


@dataclass(frozen=True)
class Identity:
    """One person who does not exist. `numbers` holds every name of `parameters.IDENTITY`."""

    seed: int
    numbers: dict[str, float]
    feminine: bool
    skin_tone: int  # 1..10, Monk scale
    style: str
    hair: str
    beard: str  # none, stubble, full, goatee, moustache, long
    glasses: bool
    cover: str  # none, hijab, turban
    cover_colour: str
    hearing_aid: bool
    years: int

    def vector(self) -> npt.NDArray[np.float32]:
        return np.asarray([self.numbers[name] for name in IDENTITY], np.float32)


def _face(d: Dice, fem: bool) -> dict[str, float]:
    t = d.around
    return {
        "hw": t(0.975 if fem else 1.01, 0.038),
        "fl": min(t(0.95 if fem else 0.99, 0.045), 1.05),
        "jaw_w": t(0.48 if fem else 0.56, 0.042),
        "jaw_y": t(-0.66, 0.04),
        "jaw_r": t(0.30 if fem else 0.355, 0.035),
        "chin_w": t(0.15 if fem else 0.195, 0.035),
        "chin_y": t(-0.985, 0.025),
        "chin_z": t(0.53 if fem else 0.56, 0.025),
        "cheek": t(0.20, 0.024),
        "cheek_y": t(-0.20, 0.03),
        "brow_ridge": t(0.132 if fem else 0.162, 0.016),
        "nose_w": t(0.94 if fem else 1.06, 0.16),
        "nose_l": t(0.405, 0.036),
        "nose_p": t(0.145 if fem else 0.165, 0.027),
        "nose_b": t(0.88 if fem else 1.04, 0.13),
        "nose_tip": t(0.06 if fem else 0.0, 0.07),
        "ex": t(0.305, 0.016),
        "ew": t(0.166 if fem else 0.156, 0.010),
        "eo": t(0.090 if fem else 0.077, 0.009),
        "etilt": t(0.20 if fem else 0.1, 0.27),
        "er": t(0.158, 0.006),
        "ez": t(0.640, 0.008),
        "brow_y": t(0.215 if fem else 0.188, 0.018),
        "brow_t": t(0.034 if fem else 0.050, 0.009),
        "brow_arch": t(0.035 if fem else 0.020, 0.014),
        "brow_len": t(0.33, 0.02),
        "brow_tilt": t(0.0, 0.045),
        "mouth_w": t(0.228, 0.024),
        "lip_u": t(0.066 if fem else 0.050, 0.013),
        "lip_l": t(0.080 if fem else 0.067, 0.014),
        "mouth_y": t(-0.655, 0.022),
        "ear_s": t(0.92 if fem else 1.02, 0.08),
        "ear_out": d.between(0.0, 1.0),
        "neck_w": t(0.365 if fem else 0.45, 0.02),
        "sh_w": t(0.93 if fem else 1.09, 0.055),
        "crown": t(1.0, 0.03),
        "fold": d.between(0.2, 1.0),
        "seed": d.between(0.0, 6.28),
    }


def _complexion(d: Dice, fem: bool, years: int) -> tuple[dict[str, float], int, str]:
    place = d.between(0.0, len(SKIN) - 1.001)
    low = int(place)
    skin = np.asarray(SKIN[low]) * (1 - (place - low)) + np.asarray(SKIN[low + 1]) * (place - low)
    skin = skin * (1 + np.array([0.0, 0.04, 0.05]) * np.clip(d.rng.standard_normal(), -1.5, 1.5))
    pale = 1 - place / (len(SKIN) - 1)
    rouge = d.between(0.35, 0.8) if fem else d.between(0.15, 0.45)
    lip = skin * np.array([0.86, 0.52, 0.52]) * (1 - rouge) + np.array([0.50, 0.11, 0.12]) * rouge * (
        0.45 + 0.55 * pale
    )
    fair = place < 4.2
    eyes = (0.25, 0.15, 0.15, 0.13, 0.22, 0.10) if fair else (0.35, 0.58, 0.05, 0.01, 0.005, 0.005)
    iris = np.asarray(IRIS[d.pick(dict(zip(IRIS, eyes, strict=True)))]) * d.between(0.8, 1.2)
    hairs = (
        (0.22, 0.22, 0.16, 0.07, 0.05, 0.06, 0.12, 0.10)
        if fair
        else (0.62, 0.29, 0.07, 0.01, 0.003, 0.001, 0.004, 0.002)
    )
    name = d.pick(dict(zip(HAIR, hairs, strict=True)))
    hair = np.asarray(HAIR[name]) * d.between(0.8, 1.25)
    grey = 0.0
    if years > 38 and d.chance((years - 34) / 38):
        grey = d.between(0.25, 0.95) * min(1.0, (years - 30) / 28)
    if grey > 0.3:
        name = "grey" if grey < 0.7 else "white"
    numbers = {
        "skr": skin[0],
        "skg": skin[1],
        "skb": skin[2],
        "blush": d.between(0.25, 0.85) * (0.45 + 0.55 * pale),
        "lipr": lip[0],
        "lipg": lip[1],
        "lipb": lip[2],
        "irr": iris[0],
        "irg": iris[1],
        "irb": iris[2],
        "hr": hair[0],
        "hg": hair[1],
        "hb": hair[2],
        "grey": grey,
        "freck": d.between(0.5, 1.0) if pale > 0.6 and d.chance(0.25) else 0.0,
        "lash": d.between(0.6, 1.0) if fem else d.between(0.0, 0.25),
        "age": float(np.clip((years - 30) / 34, 0, 1)) * d.between(0.7, 1.0),
        "mole": float(d.chance(0.10)),
        "mole_x": d.between(-0.42, 0.42),
        "mole_y": d.between(-0.75, -0.2),
    }
    return {k: float(v) for k, v in numbers.items()}, 1 + round(place), name


def _worn(d: Dice, fem: bool) -> dict[str, float]:
    exponent = (2.0, 3.5, 6.0)[int(d.rng.integers(3))]
    frame = FRAMES[int(d.rng.integers(len(FRAMES)))]
    aid = AIDS[int(d.rng.integers(len(AIDS)))]
    return {
        "g_on": float(d.chance(0.27)),
        "g_w": d.between(0.195, 0.225),
        "g_round": exponent,
        "g_h": d.between(0.14, 0.20) if exponent > 2 else 0.185,
        "gr": frame[0],
        "gg": frame[1],
        "gb": frame[2],
        "aid": float(d.chance(0.05)),
        "aidr": aid[0],
        "aidg": aid[1],
        "aidb": aid[2],
        "ring_on": float(d.chance(0.35 if fem else 0.03)),
    }


def draw_identity(seed: int) -> Identity:
    """The person with this seed; the same seed is the same person for ever (see `parameters.LAYOUT`)."""
    d = Dice(seed)
    fem, years = d.chance(0.5), int(d.between(22, 66))
    numbers = _face(d, fem)
    complexion, tone, hair = _complexion(d, fem, years)
    numbers |= complexion
    style = draw_style(d, fem, tone, years)
    numbers |= draw_hair(d, style, fem)
    beard = (
        "none"
        if fem
        else d.pick({"clean": 0.40, "stubble": 0.20, "full": 0.18, "goatee": 0.08, "moustache": 0.06, "long": 0.08})
    )
    cover = "none"
    if fem and d.chance(0.08):
        cover = "hijab"
    if not fem and d.chance(0.05):
        cover, beard = "turban", "long" if d.chance(0.7) else "full"
    numbers |= draw_beard(d, beard) | _worn(d, fem)
    colour = list(CLOTH)[int(d.rng.integers(len(CLOTH)))]
    numbers |= {"cover": float(COVERS.index(cover)), **dict(zip(("vr", "vg", "vb"), CLOTH[colour], strict=True))}
    assert numbers["h_kind"] < len(HAIR_KINDS)
    return Identity(
        seed=seed,
        numbers=numbers,
        feminine=fem,
        skin_tone=tone,
        style=style,
        hair=hair,
        beard="none" if beard == "clean" else beard,
        glasses=numbers["g_on"] > 0.5,
        cover=cover,
        cover_colour=colour,
        hearing_aid=numbers["aid"] > 0.5,
        years=years,
    )
