"""The colour of hair, clothes, head coverings and small things. Linear light; rgb, gloss weight and power."""

from collections.abc import Callable

from synthetic.painter.algebra import (
    Expr,
    absolute,
    bump,
    clamp,
    length,
    minimum,
    noise,
    sin,
    smooth,
    where,
)
from synthetic.painter.clothes import crew, jacket, lapel_edge, shirt, tie
from synthetic.painter.frames import Parameters, Place, hairline
from synthetic.painter.hair import azimuth, rope
from synthetic.painter.paint_skin import Colour, mix, scale, tint

Painted = tuple[Expr, Expr, Expr, Expr, Expr]


def paint_hair(q: Parameters, p: Place) -> tuple[Expr, ...]:
    """rgb, gloss weight and power, the strand's direction in head space (x, y, z), strand brightness 0..1."""
    across = azimuth(q, p) * q.h_freq
    wave = noise(p.hx, p.hy, p.hz, 4.0, q.seed) * 2.0 + q.h_curl * noise(p.hx, p.hy, p.hz, 6.0, q.seed) * 5.0
    smoothness = 1.0 - clamp(q.h_coil, 0.0, 1.0)
    strand = sin(across * 9.0 + wave * 2.0) * 0.25 + sin(across * 23.0 + wave * 3.0) * 0.16
    strand = strand + sin(across * 51.0 + wave * 5.0) * 0.12
    coil = noise(p.hx, p.hy, p.hz, 45.0, q.seed) * 0.35
    strand = 0.5 + strand * smoothness + coil * (1.0 - smoothness)
    c: Colour = scale((q.hr, q.hg, q.hb), strand * 0.75 + 0.60)
    # Greying: an even veil of single white hairs, denser at the temples; never stripes.
    fine = noise(across * 3.0, p.hy * 2.0, p.hz, 9.0, q.seed) * 0.10 + sin(across * 67.0 + wave * 2.0) * 0.10
    temples = smooth(0.45, 0.15, p.hy) * 0.30 * (1.0 - q.grey)
    veil = clamp(q.grey * (1.0 + fine * 1.6) + q.grey * temples * 2.0, 0.0, 0.96)
    white = 0.40 + strand * 0.22
    c = mix(c, (white, white * 0.985, white * 0.96), veil)
    root = smooth(0.0, 0.10, p.hy - hairline(q, p)) * 0.28 + 0.72
    groove = 1.0 - q.h_rope * smooth(0.1, -0.9, rope(q, p)) * 0.65
    c = scale(c, root * groove)
    cw = 0.55 * q.h_curl
    tx = p.hx - q.part_x + cw * noise(p.hx, p.hy, p.hz, 11.0, q.seed)
    ty = p.hy - 1.30 - q.h_len * 0.8 + cw * noise(p.hy, p.hz, p.hx, 12.0, q.seed)
    tz = p.hz - q.part_z + cw * noise(p.hz, p.hx, p.hy, 10.0, q.seed)
    gloss = 1.0 - 0.75 * clamp(q.h_coil + q.h_rope, 0.0, 1.0)
    return c[0], c[1], c[2], gloss, strand * 0.0 + 10.0, tx, ty, tz, strand


def _weave(q: Parameters, p: Place) -> Expr:
    return sin(p.bx * 120.0) * sin(p.by * 120.0) * 0.05 + noise(p.bx, p.by, p.bz, 30.0, q.seed) * 0.03 + 1.0


def _painted(c: Colour, weight: "Expr | float", power: float) -> Painted:
    zero = c[0] * 0.0
    return c[0], c[1], c[2], zero + weight, zero + power


def _plain(q: Parameters, p: Place) -> Painted:
    return _painted(scale((q.c1r, q.c1g, q.c1b), _weave(q, p)), 0.06, 12.0)


def _buttoned(q: Parameters, p: Place, c: Colour) -> Colour:
    front = where(p.bz > 0.0, 1.0, 0.0) * smooth(-1.44, -1.50, p.by) * (1.0 - q.tie)
    edge = bump(absolute(p.bx - 0.045) - 0.004, 0.010) * front
    every = (p.by + 1.74) * (1.0 / 0.36)
    nearest = absolute(sin(every * 3.14159265)) * (0.36 / 3.14159265)
    button = smooth(0.032, 0.022, length(p.bx, nearest)) * front
    return tint(tint(c, (0.72, 0.72, 0.72), edge), (0.55, 0.55, 0.58), button)


def _shirt(q: Parameters, p: Place) -> Painted:
    return _painted(_buttoned(q, p, scale((q.c1r, q.c1g, q.c1b), _weave(q, p))), 0.06, 12.0)


def _lapelled(q: Parameters, p: Place) -> Colour:
    edge = bump(p.ab - lapel_edge(p) - 0.26 - (p.by + 1.9) * 0.05, 0.016)
    edge = edge * where(p.bz > 0.0, 1.0, 0.0) * smooth(-2.6, -2.4, p.by)
    return scale(scale((q.c1r, q.c1g, q.c1b), _weave(q, p)), 1.0 - 0.45 * edge)


def _suit(q: Parameters, p: Place) -> Painted:
    coat, linen, silk = jacket(q, p, False), shirt(q, p, False), tie(q, p)
    is_coat = where(coat < minimum(linen, silk), 1.0, 0.0)
    is_silk = where(silk < minimum(linen, coat), 1.0, 0.0)
    stripe = where(sin((p.bx + p.by) * 60.0) > 0.0, 1.0, 0.6)
    c = mix(_buttoned(q, p, scale((q.c2r, q.c2g, q.c2b), _weave(q, p))), scale((q.c3r, q.c3g, q.c3b), stripe), is_silk)
    return _painted(mix(c, _lapelled(q, p), is_coat), 0.06 + 0.10 * is_coat, 12.0)


def _blazer(q: Parameters, p: Place) -> Painted:
    is_coat = where(jacket(q, p, False) < crew(q, p, False) + 0.012, 1.0, 0.0)
    c = mix(scale((q.c2r, q.c2g, q.c2b), _weave(q, p)), _lapelled(q, p), is_coat)
    return _painted(c, 0.06 + 0.10 * is_coat, 12.0)


GARMENT_PAINT: dict[str, Callable[[Parameters, Place], Painted]] = {
    "crew": _plain,
    "vneck": _plain,
    "suit": _suit,
    "shirt": _shirt,
    "turtleneck": _plain,
    "hoodie": _plain,
    "blazer": _blazer,
}


def paint_cover(q: Parameters, p: Place) -> Painted:
    weave = sin(p.hx * 110.0) * sin(p.hy * 110.0) * 0.04 + noise(p.hx, p.hy, p.hz, 8.0, q.seed) * 0.04 + 1.0
    return _painted(scale((q.vr, q.vg, q.vb), weave), 0.07, 9.0)


def paint_glasses(q: Parameters, p: Place) -> Painted:
    dark = where(q.shades > 0.5, 1.0, 0.0)
    c = mix((q.gr + p.hx * 0.0, q.gg + p.hx * 0.0, q.gb + p.hx * 0.0), (0.012, 0.012, 0.014), dark)
    return _painted(c, 0.9, 90.0)


def paint_aid(q: Parameters, p: Place) -> Painted:
    zero = p.hx * 0.0
    return _painted((zero + q.aidr, zero + q.aidg, zero + q.aidb), 0.7, 50.0)


def paint_ring(q: Parameters, p: Place) -> Painted:
    zero = p.hx * 0.0
    return _painted((zero + 0.75, zero + 0.58, zero + 0.25), 1.6, 60.0)
