"""The shape of what people wear: tops, collars, jackets, ties, head scarves, turbans. Distances in 10 cm, body frame.

Each kind of garment is its own formula and its own compiled kernel, so a picture pays only for what it shows.
"""

from collections.abc import Callable

from synthetic.painter.algebra import (
    Expr,
    absolute,
    bump,
    capsule,
    clamp,
    ellipsoid,
    intersect,
    length,
    maximum,
    minimum,
    noise,
    sin,
    smooth,
    sqrt,
    union,
    where,
)
from synthetic.painter.face import neck, skull, torso
from synthetic.painter.frames import Parameters, Place


def folds(q: Parameters, p: Place, fine: bool) -> Expr:
    fold = noise(p.bx * 0.8, p.by, p.bz, 4.2, q.seed * 1.3) * 0.018
    return fold + noise(p.bx, p.by * 1.4, p.bz, 9.0, q.seed) * 0.007 if fine else fold


def _knit(p: Place, strength: float) -> Expr:
    return sin(p.bx * 95.0) * sin(p.by * 95.0) * (0.0025 * strength)


def _neckline(p: Place, radius: float) -> Expr:
    """Inside of the round neckline: a sphere round the base of the throat."""
    return radius - length(p.bx, p.by + 1.18, p.bz - 0.06)


def crew(q: Parameters, p: Place, fine: bool) -> Expr:
    d = intersect(torso(q, p) - 0.055 + folds(q, p, fine), _neckline(p, 0.65), 0.035)
    rib = length(_neckline(p, 0.65), torso(q, p) - 0.045) - 0.045
    d = minimum(d, rib)
    return d + _knit(p, 0.5) if fine else d


def vneck(q: Parameters, p: Place, fine: bool) -> Expr:
    wedge = maximum(p.ab - (p.by + 2.28) * 0.46, -(p.bz + 0.05))
    cut = maximum(_neckline(p, 0.62), -wedge)
    d = intersect(torso(q, p) - 0.055 + folds(q, p, fine), cut, 0.035)
    return d + _knit(p, 0.7) if fine else d


def turtleneck(q: Parameters, p: Place, fine: bool) -> Expr:
    tube = intersect(neck(q, p) - 0.065, maximum(p.by + 0.98 + p.bz * 0.28, -1.8 - p.by), 0.05)
    d = union(intersect(torso(q, p) - 0.055 + folds(q, p, fine), p.by + 0.9, 0.05), tube, 0.22)
    return d + _knit(p, 1.0) if fine else d


def hoodie(q: Parameters, p: Place, fine: bool) -> Expr:
    d = intersect(torso(q, p) - 0.105 + folds(q, p, fine), _neckline(p, 0.62), 0.035)
    round_neck = sqrt(p.bx * p.bx * 0.8 + (p.bz + 0.25) * (p.bz + 0.25) * 1.1 + 1e-8) - 0.62
    d = union(d, length(round_neck, (p.by + 1.38 + p.bz * 0.35) * 0.8) - 0.17, 0.08)
    return d + _knit(p, 1.0) if fine else d


def collar(q: Parameters, p: Place) -> Expr:
    """Two leaves falling from the neck, parted in front: a V when open (`c_open` 0..1), tips spread apart."""
    around = sqrt(p.bx * p.bx + (p.bz + 0.16 - (p.by + 1.4) * 0.10) * (p.bz + 0.16 - (p.by + 1.4) * 0.10) + 1e-8)
    flare = clamp(-1.10 - p.by, low=0.0) * 0.42
    leaf = absolute(around - (q.neck_w + 0.065 + flare)) - 0.022
    front = where(p.bz > 0.0, 1.0, 0.0)
    tips = -1.36 - smooth(0.50, 0.14, p.ab) * 0.20 * front - p.by
    opening = maximum(q.c_open * 0.40 * (p.by + 1.64), (-1.22 - p.by) * 0.40 + 0.012)
    gap = where(p.bz > 0.0, maximum(opening, 0.012) - p.ab, -1.0 - p.ab)
    return intersect(leaf, maximum(p.by + 1.05 + p.bz * 0.30, tips, gap), 0.02)


def _shirt_body(q: Parameters, p: Place, fine: bool) -> Expr:
    """Closed up to the neck except for the V of an open collar: what the study's shirts lacked."""
    cover = union(neck(q, p), torso(q, p), 0.20) - 0.050 + folds(q, p, fine) * 0.6
    opening = where(p.bz > 0.0, q.c_open * 0.36 * (p.by + 1.66) - p.ab, -1.0 - p.ab)
    return intersect(cover, maximum(opening, p.by + 1.16 + p.bz * 0.30), 0.015)


def shirt(q: Parameters, p: Place, fine: bool) -> Expr:
    return minimum(_shirt_body(q, p, fine), collar(q, p))


def tie(q: Parameters, p: Place) -> Expr:
    """Knot and blade; far away when none is worn."""
    front = union(neck(q, p), torso(q, p), 0.20)
    blade_width = clamp(-1.50 - p.by, -0.05, 1.0) * 0.060 + 0.052
    blade = maximum(front - 0.085, p.ab - blade_width, maximum(p.by + 1.36, -p.bz))
    knot = ellipsoid(p.bx, p.by + 1.37, p.bz - 0.31, 0.085, 0.095, 0.075)
    return minimum(blade, knot) + (1.0 - q.tie) * 5.0


def lapel_edge(p: Place) -> Expr:
    """How far inside the jacket's V: |x| of the edge at this height."""
    return (p.by + 2.62) * 0.40


def jacket(q: Parameters, p: Place, fine: bool) -> Expr:
    shell = torso(q, p) - 0.090 + folds(q, p, fine)
    opening = maximum(p.ab - lapel_edge(p), -p.bz)
    round_neck = 0.53 - length(p.bx, p.by + 1.22, p.bz + 0.10)
    d = intersect(shell, maximum(-opening, round_neck), 0.03)
    inside = minimum(p.ab - lapel_edge(p), lapel_edge(p) + 0.26 + (p.by + 1.9) * 0.05 - p.ab)
    raised = smooth(0.0, 0.015, inside) * smooth(-2.7, -2.4, p.by) * 0.030
    return d - where(p.bz > 0.0, raised, 0.0)


def suit(q: Parameters, p: Place, fine: bool) -> Expr:
    return minimum(jacket(q, p, fine), shirt(q, p, fine), tie(q, p))


def blazer(q: Parameters, p: Place, fine: bool) -> Expr:
    """A jacket over a round-neck top."""
    return minimum(jacket(q, p, fine), crew(q, p, fine) + 0.012)


GARMENTS: dict[str, Callable[[Parameters, Place, bool], Expr]] = {
    "crew": crew,
    "vneck": vneck,
    "suit": suit,
    "shirt": shirt,
    "turtleneck": turtleneck,
    "hoodie": hoodie,
    "blazer": blazer,
}


def hijab(q: Parameters, p: Place, fine: bool) -> Expr:
    """A scarf round head, cheeks and throat, falling over the shoulders."""
    head = ellipsoid(p.ax, p.hy - 0.33 * q.crown, p.hz + 0.08, 0.735 * q.hw + 0.105, 0.80 * q.crown + 0.10, 1.0)
    cheeks = ellipsoid(p.ax, p.hy + 0.42, p.hz + 0.02, 0.72 * q.hw + 0.06, 1.02, 0.80)
    temples = ellipsoid(p.ax, p.hy + 0.05, p.hz - 0.16, 0.69 * q.hw, 0.80, 0.60)
    d = union(union(head, cheeks, 0.20), temples, 0.15)
    drape = capsule(p.ab, p.by, p.bz, (0.0, -0.75, -0.12), (0.0, -1.62, -0.12), 0.52, 0.70)
    shoulders = intersect(torso(q, p) - 0.165, -2.02 - p.by + p.ab * 0.20, 0.08)
    d = union(union(d, drape, 0.18), shoulders, 0.16)
    wave = sin((p.hy * 0.75 + p.ax * 0.9 + p.hz * 0.5) * 13.0 + noise(p.hx, p.hy, p.hz, 3.0, q.seed) * 2.0)
    low = smooth(0.2, -0.8, p.hy)
    d = d + wave * (0.006 + low * 0.012)
    if fine:
        d = d + sin((p.hy + p.ax * 1.3) * 31.0 + wave) * 0.003 * (low + 0.3)
    bottom, top = -1.08 * q.fl - 0.01, 0.60
    centre, half = (bottom + top) * 0.5, (top - bottom) * 0.5
    u, v = p.ax / (0.60 * q.hw), (p.hy - centre) / half
    squarish = sqrt(sqrt(u * u * u * u + v * v * v * v + 1e-8))
    outline = (length(u, v) * 0.5 + squarish * 0.5 - 1.0) * 0.5
    hem = length(outline, d - 0.01) - 0.030
    return minimum(intersect(d, -maximum(outline, 0.0 - p.hz), 0.035), maximum(hem, 0.10 - p.hz))


def turban(q: Parameters, p: Place, fine: bool) -> Expr:
    """Cloth wound round the skull, crossing above the forehead."""
    d = ellipsoid(p.ax, p.hy - 0.72 * q.crown, p.hz + 0.12, 0.735 * q.hw + 0.17, 0.62, 1.08)
    d = union(d, skull(q, p) - 0.10, 0.12)
    winding = sin((p.hy * 1.0 + p.ax * 0.72 - 0.1) * 19.0 + noise(p.hx, p.hy, p.hz, 2.2, q.seed) * 0.8)
    d = d - (1.0 - winding * winding) * 0.030
    if fine:
        d = d + sin((p.hy + p.ax * 0.72) * 75.0) * 0.002
    edge = 0.44 + bump(p.ax, 0.22) * 0.10 - clamp(p.ax - 0.45, low=0.0) * 0.55 + clamp(-p.hz, low=0.0) * -0.45
    return intersect(d, edge - p.hy, 0.05)


COVERINGS: dict[str, Callable[[Parameters, Place, bool], Expr]] = {"hijab": hijab, "turban": turban}
