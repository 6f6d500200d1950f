"""The shape of hair: a cap grown from the skull, and for long styles a curtain round the face. Distances in 10 cm.

Texture is a matter of three numbers: `h_curl` (waves and curls), `h_coil` (tight coils) and `h_rope` (locs and braids).
The cap must thin out towards the hairline, or everybody wears a toy's helmet.
"""

from synthetic.painter.algebra import (
    Expr,
    absolute,
    atan2,
    bump,
    clamp,
    ellipsoid,
    exp,
    intersect,
    length,
    maximum,
    minimum,
    noise,
    sin,
    smooth,
    union,
)
from synthetic.painter.face import skull
from synthetic.painter.frames import Parameters, Place, hairline


def azimuth(q: Parameters, p: Place) -> Expr:
    """Angle about the crown: the coordinate across the strands."""
    return atan2(p.hx - q.part_x, p.hz - q.part_z + 1e-4)


def curls(q: Parameters, p: Place, fine: bool) -> Expr:
    """-1..1 lumps of curly hair; rounder and smaller where `h_coil` is high."""
    loose = noise(p.hx, p.hy, p.hz, 9.0, q.seed)
    if fine:
        loose = loose + noise(p.hx, p.hy, p.hz, 19.0, q.seed) * 0.4
    f = 21.0
    warp = noise(p.hx, p.hy, p.hz, 5.0, q.seed) * 1.5
    coil = sin(p.hx * f + warp) * sin(p.hy * f + warp) * sin(p.hz * f + q.seed) * 0.9
    if fine:
        coil = coil + sin(p.hx * 57.0 + warp) * sin(p.hy * 53.0) * sin(p.hz * 55.0 + warp) * 0.45
    return loose + (coil - loose) * clamp(q.h_coil, 0.0, 1.0)


def rope(q: Parameters, p: Place) -> Expr:
    """-1..1 ridges of locs: round cords side by side, twisted along their length."""
    across = absolute(sin(azimuth(q, p) * 13.0 + sin(p.hy * 1.7 + q.seed) * 0.6))
    twist = sin(p.hy * 26.0 + azimuth(q, p) * 40.0) * 0.12
    return across * 1.6 - 1.0 + twist


def _thickness(q: Parameters, p: Place, clump: Expr, curl: Expr) -> Expr:
    top = smooth(0.25, 0.95, p.hy)
    lift_x, lift_z = p.hx + q.part_x * 0.6, p.hz - 0.62
    lift = q.h_vol * exp(-(lift_x * lift_x) * 4.0 - (lift_z * lift_z) * 10.0)
    th = q.h_side + (q.h_top - q.h_side) * top + lift * top
    grown = clamp(clamp(th, low=0.0) * 7.0, high=1.0)
    return th + clump * 0.020 * grown * (1.0 - clamp(q.h_coil, 0.0, 1.0)) + q.h_curl * curl * 0.075


def _cap(q: Parameters, p: Place, clump: Expr, curl: Expr, fine: bool) -> Expr:
    th = _thickness(q, p, clump, curl)
    hl = hairline(q, p)
    ragged = noise(p.hx, p.hx * 0.7, p.hz, 17.0, q.seed) * 0.022 + noise(p.hx, p.hy * 0.3, p.hz, 47.0, q.seed) * 0.018
    fringe = smooth(0.52, 0.40, q.h_hl)
    taper = smooth(-0.04, 0.24, p.hy - hl)
    th = th * (fringe + (1.0 - fringe) * (taper * 0.90 + 0.10))
    parting = bump(p.hx - q.part_x * 0.9, 0.028) * smooth(0.55, 0.9, p.hy) * smooth(-0.25, 0.1, p.hz) * 0.055
    th = th - parting * clamp(q.h_vol * 30.0, 0.0, 1.0) * clamp(1.0 - q.h_curl, 0.0, 1.0) * (1.0 - fringe)
    th = th + q.h_rope * rope(q, p) * 0.030 * smooth(0.0, 0.2, p.hy - hl)
    d = intersect(skull(q, p) - th, (hl - p.hy + ragged) * 0.62, 0.03)
    ear_clear = q.ear_s * 0.20 - length(p.ax - 0.80 * q.hw, p.hy + 0.07, p.hz - 0.02)
    covered = clamp(q.h_len * 4.0, high=1.0)
    return intersect(d, ear_clear - covered, 0.05)


def _curtain(q: Parameters, p: Place, clump: Expr, curl: Expr) -> Expr:
    end = -0.15 - 1.75 * q.h_len
    spread = 0.80 * q.hw + q.h_side * 0.9 + smooth(-0.2, -1.6, p.hy) * q.h_vol * 0.30 + clump * 0.03
    shell = (length(p.hx / spread, (p.hz + 0.22) / (0.80 + q.h_side * 0.6)) - 1.0) * 0.72
    face = (1.0 - length(p.ax / (0.60 * q.hw), (p.hz - 0.42) * (1.0 / 0.66))) * 0.55
    tips = end + sin(azimuth(q, p) * 9.0 + q.seed) * 0.10 * q.h_len - p.hy
    front = p.hz - (0.36 - smooth(0.2, -1.2, p.hy) * 0.10)
    d = intersect(intersect(shell, face, 0.05), maximum(p.hy - 0.55, tips, front), 0.10)
    return d - q.h_curl * curl * 0.05 - q.h_rope * rope(q, p) * 0.032


def hair(q: Parameters, p: Place, fine: bool, long: bool) -> Expr:
    ph = azimuth(q, p)
    curl = curls(q, p, fine)
    clump = sin(ph * 7.0 + sin(p.hy * 2.2 + q.seed) * 2.0 + q.seed) * 0.5
    clump = clump + sin(ph * 13.0 - p.hy * 1.4 + sin(p.hy * 3.0 + q.seed * 2.0) * 1.5) * 0.5
    d = _cap(q, p, clump, curl, fine)
    if long:
        d = union(d, _curtain(q, p, clump, curl), 0.10)
    else:
        bun = ellipsoid(p.hx, p.hy - 1.24, p.hz + 0.30, 0.34, 0.30, 0.34) - sin(ph * 9.0 + p.hy * 12.0) * 0.02
        d = minimum(d, union(d, bun - curl * 0.05 * q.h_curl, 0.06) + (1.0 - q.h_bun) * 9.0)
    if fine:
        across = ph * q.h_freq
        wave = noise(p.hx, p.hy, p.hz, 7.0, q.seed) * q.h_curl * 4.0
        strands = sin(across * 6.0 + sin(p.hy * 2.0 + q.seed) * 3.0 + wave) * 0.0035
        strands = strands + sin(across * 17.0 + q.seed * 5.0 + noise(p.hx, p.hy, p.hz, 5.0, q.seed) * 2.0) * 0.0022
        d = d + strands * (1.0 - clamp(q.h_coil, 0.0, 1.0))
    return d
