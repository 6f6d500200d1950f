"""The three coordinate frames and the drawn coordinates of eye and mouth, shared by shapes, paint and ground truth.

World: unit 10 cm, origin between the eyes, +y up, +z towards the camera. Head frame: the head turns about the top of
the neck (`PIVOT`). Body frame: the torso turns by less than the head. Everything on a face is symmetric in x, so most
formulas read |x|.
"""

from dataclasses import dataclass

from synthetic.painter.algebra import Expr, Tape, absolute, bump, clamp, cos, exp, minimum, sin, smooth, sqrt
from synthetic.painter.parameters import INDEX

PIVOT = (0.0, -0.95, -0.15)

# A full smile lifts the corners of the mouth by this much (10 cm, at the usual width) and widens it by this share.
SMILE_LIFT = 0.102
SMILE_WIDTH = 0.17


class Parameters:
    """The picture's numbers as expressions: `q.jaw_w` reads one element of the flat row in C."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def __getattr__(self, name: str) -> Expr:
        return self._tape.emit(f"P[{INDEX[name]}]")


@dataclass(frozen=True)
class Place:
    """One point in head (hx, hy, hz, ax = |hx|) and body (bx, by, bz, ab = |bx|) coordinates."""

    hx: Expr
    hy: Expr
    hz: Expr
    ax: Expr
    bx: Expr
    by: Expr
    bz: Expr
    ab: Expr


def locate(q: Parameters, x: Expr, y: Expr, z: Expr) -> Place:
    px, py, pz = x - PIVOT[0], y - PIVOT[1], z - PIVOT[2]
    hx = q.r00 * px + q.r10 * py + q.r20 * pz + PIVOT[0]
    hy = q.r01 * px + q.r11 * py + q.r21 * pz + PIVOT[1]
    hz = q.r02 * px + q.r12 * py + q.r22 * pz + PIVOT[2]
    c, s = cos(q.byaw), sin(q.byaw)
    bx, bz = c * x - s * z, s * x + c * z
    return Place(hx, hy, hz, sqrt(hx * hx + 1e-6), bx, y - 0.10, bz, sqrt(bx * bx + 1e-6))


@dataclass(frozen=True)
class EyeOpening:
    """Almond of the open eye: `inside` > 0 between the lids; distances to upper and lower lid; u, v across it."""

    inside: Expr
    upper: Expr
    lower: Expr
    u: Expr
    v: Expr


def eye_opening(q: Parameters, p: Place) -> EyeOpening:
    u = (p.ax - q.ex) / q.ew
    v = p.hy - q.etilt * (p.ax - q.ex) * 0.35
    arc = clamp(1.0 - u * u, low=-1.0)
    upper = q.eo * (1.0 - 0.45 * q.squint) * arc * (u * 0.25 + 1.0) - v
    lower = v + q.eo * (0.62 - 0.30 * q.squint) * arc
    return EyeOpening(minimum(upper, lower), upper, lower, u, v)


@dataclass(frozen=True)
class MouthPlace:
    """Warped mouth coordinates: y from the closed line, x2 = (x / half width)^2, half opening, lip edges."""

    y: Expr
    x2: Expr
    gap: Expr
    upper: Expr
    lower: Expr
    width: Expr


def mouth_place(q: Parameters, p: Place) -> MouthPlace:
    width = q.mouth_w * (1.0 + SMILE_WIDTH * q.smile)
    xn = p.hx / width
    x2 = clamp(xn * xn, high=2.2)
    y = p.hy - q.mouth_y - SMILE_LIFT * q.smile * width / 0.25 * (x2 - 0.35) - x2 * 0.010
    profile = clamp(1.0 - x2, low=0.0)
    gap = q.mopen * 0.075 * profile
    bow = 1.0 - bump(p.hx, 0.045) * 0.28  # cupid's bow
    upper = gap + q.lip_u * sqrt(profile + 1e-6) * bow * (profile * 0.6 + 0.4)
    lower = -gap - q.lip_l * clamp(profile, low=1e-4) ** 0.6
    return MouthPlace(y, x2, gap, upper, lower, width)


def hairline(q: Parameters, p: Place) -> Expr:
    """Height (head y) above which hair grows, as a function of where on the skull: nape at the back, brow in front."""
    temple = bump(p.ax - 0.40, 0.14) * (0.045 + 0.25 * clamp(q.h_recede, low=0.0)) * smooth(0.52, 0.60, q.h_hl)
    peak = bump(p.ax, 0.10) * clamp(q.h_recede, low=0.0) * -0.25
    front = q.h_hl + q.h_slope * p.hx + q.h_recede * p.ax * 0.9 + temple + peak
    return q.h_nape + (front - q.h_nape) * smooth(0.02, 0.66, p.hz + (p.ax - 0.5) * 0.10)


def beard_cover(q: Parameters, p: Place, mouth: MouthPlace) -> Expr:
    """0..1: how much beard grows here (cheek line, moustache, chin; never on the lips)."""
    line = clamp(p.ax - 0.25, low=0.0) * 0.75 - 0.50
    full = smooth(-0.05, 0.07, line - p.hy) * smooth(-0.02, 0.14, p.hz) * smooth(-1.28, -1.12, p.hy)
    centre = smooth(0.16, 0.28, p.ax)
    full = full * (centre + (1.0 - centre) * smooth(-0.46, -0.50, p.hy))
    band = (mouth.y - 0.115) * (1.0 / 0.055)
    moustache = exp(-(band * band)) * smooth(1.65, 1.15, mouth.x2) * smooth(0.45, 0.60, p.hz)
    chin = smooth(0.30, 0.20, p.ax) * smooth(-0.72, -0.80, p.hy) * smooth(0.35, 0.50, p.hz)
    outside = clamp(mouth.x2 - 1.15, low=0.0) * 0.3
    above, below = mouth.y - mouth.upper, mouth.lower - mouth.y
    lips = smooth(0.0, 0.035, outside - minimum(-above, -below))
    most = q.b_full * full
    for part in (q.b_mous * moustache, q.b_chin * chin):
        most = -minimum(-most, -part)
    return most * lips


def side(p: Place) -> Expr:
    """-1 on the picture's left of the face, +1 on its right."""
    return p.hx / absolute(p.hx + 1e-6)
