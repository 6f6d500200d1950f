"""The colour of skin, lips, brows, lashes, beard and eyes. Linear light; rgb, gloss weight and power."""

from synthetic.painter.algebra import (
    Expr,
    absolute,
    atan2,
    blend,
    bump,
    clamp,
    exp,
    length,
    maximum,
    minimum,
    noise,
    sin,
    smooth,
    where,
)
from synthetic.painter.face import age_lines, beard_strands
from synthetic.painter.frames import (
    EyeOpening,
    MouthPlace,
    Parameters,
    Place,
    beard_cover,
    eye_opening,
    hairline,
    mouth_place,
    side,
)

Colour = tuple[Expr, Expr, Expr]


def tint(c: Colour, factors: tuple[float, float, float], weight: Expr) -> Colour:
    """Multiply towards `factors` by `weight` (0 leaves as it is)."""
    r, g, b = (channel * (weight * (f - 1.0) + 1.0) for channel, f in zip(c, factors, strict=True))
    return r, g, b


def mix(a: Colour, b: "tuple[Expr | float, Expr | float, Expr | float]", weight: Expr) -> Colour:
    r, g, b2 = (blend(x, y, weight) for x, y in zip(a, b, strict=True))
    return r, g, b2


def scale(c: Colour, factor: "Expr | float") -> Colour:
    return c[0] * factor, c[1] * factor, c[2] * factor


def hair_colour(q: Parameters, factor: float = 1.0) -> Colour:
    """The hair's own colour with its grey worked in evenly: brows and beard grey with the head."""
    base: Colour = (q.hr, q.hg, q.hb)
    grey = (0.50, 0.49, 0.47)
    return scale(mix(base, grey, q.grey * 0.75), factor)


def _complexion(q: Parameters, p: Place) -> Colour:
    c: Colour = (q.skr, q.skg, q.skb)
    nose_y = p.hy + q.nose_l - 0.03
    cheeks = bump(p.ax - 0.40, 0.173) * bump(p.hy + 0.30, 0.173)
    nose = bump(p.ax, 0.141) * bump(nose_y, 0.11) * smooth(0.8, 1.0, p.hz) * 0.8
    ears = smooth(0.70, 0.80, p.ax) * smooth(0.4, 0.2, absolute(p.hy)) * 0.7
    c = tint(c, (1.04, 0.74, 0.72), clamp((cheeks + nose + ears) * q.blush, 0.0, 1.2))
    mottled = noise(p.hx, p.hy, p.hz, 7.0, q.seed) * 0.35 + noise(p.hx, p.hy, p.hz, 15.0, q.seed * 2.0) * 0.28
    c = tint(c, (1.03, 0.95, 0.93), mottled)
    spots = smooth(
        0.62, 0.85, noise(p.hx, p.hy, p.hz, 34.0, q.seed * 3.0) + noise(p.hx, p.hy, p.hz, 61.0, q.seed) * 0.35
    )
    freckles = spots * bump(p.hy + 0.24, 0.187) * bump(p.ax - 0.2, 0.30) * smooth(0.4, 0.6, p.hz)
    c = tint(c, (0.70, 0.52, 0.42), freckles * q.freck)
    c = tint(c, (0.72, 0.62, 0.58), age_lines(q, p) * 0.62)
    mole = smooth(0.026, 0.014, length(p.hx - q.mole_x, p.hy - q.mole_y)) * smooth(0.3, 0.4, p.hz) * q.mole
    return tint(c, (0.25, 0.18, 0.16), mole)


def _around_eyes(q: Parameters, p: Place, c: Colour, eye: EyeOpening) -> tuple[Colour, Expr]:
    front = smooth(0.5, 0.6, p.hz)
    across = absolute(eye.u)
    shadow = bump(p.ax - q.ex, 0.17) * bump(p.hy + 0.145, 0.05) * smooth(0.35, 0.45, p.hz)
    c = tint(c, (0.90, 0.80, 0.80), shadow * (0.45 + 0.5 * q.age))
    c = tint(c, (0.84, 0.70, 0.70), bump(eye.upper + 0.05, 0.045) * smooth(1.35, 0.9, across) * front * 0.75)
    crease = bump(eye.upper + 0.062 - eye.u * 0.02, 0.014) * smooth(1.25, 0.7, across) * front
    c = tint(c, (0.62, 0.48, 0.46), crease * 0.75)
    above, below = where(eye.v > -0.01, 1.0, 0.0), where(eye.v < 0.0, 1.0, 0.0)
    upper = smooth(0.030, 0.006, absolute(eye.upper + 0.006)) * smooth(1.12, 0.98, across) * above
    wing = (
        smooth(0.045, 0.0, absolute(eye.upper + 0.02)) * smooth(0.55, 0.95, eye.u) * smooth(1.22, 1.05, eye.u) * above
    )
    lower = smooth(0.016, 0.003, absolute(eye.lower + 0.004)) * smooth(1.1, 0.95, across) * below
    lash = maximum(upper * (0.72 + 0.28 * q.lash), wing * q.lash * 0.9) + lower * (0.30 + 0.25 * q.lash)
    return c, clamp(lash * front, 0.0, 1.0)


def _mouth(q: Parameters, p: Place, c: Colour, m: MouthPlace) -> tuple[Colour, Expr, Expr]:
    front = smooth(0.45, 0.60, p.hz)
    lip = smooth(-0.014, 0.010, minimum(m.upper - m.y, m.y - m.lower)) * smooth(1.02, 0.90, m.x2) * front
    c = mix(c, (q.lipr, q.lipg, q.lipb), lip * 0.88)
    open_ = smooth(-0.008, 0.006, m.gap - 0.006 - absolute(m.y)) * smooth(1.0, 0.9, m.x2) * front
    open_ = open_ * smooth(0.02, 0.10, q.mopen)
    line = bump(absolute(m.y) - m.gap, 0.011) * smooth(1.12, 0.9, m.x2) * front
    c = tint(c, (0.32, 0.20, 0.20), line * 0.9)
    gaps = smooth(0.0, 0.35, absolute(sin(p.hx * 62.0))) * 0.10 + 0.90
    tooth: Colour = (gaps * (0.86 - m.x2 * 0.30), gaps * (0.83 - m.x2 * 0.31), gaps * (0.78 - m.x2 * 0.31))
    tooth = mix(tooth, (0.30, 0.09, 0.08), smooth(0.3, 1.0, -m.y / (m.gap + 1e-3)) * 0.9)
    return mix(c, tooth, open_), lip, open_


def _brow(q: Parameters, p: Place) -> Expr:
    along = (p.ax - q.ex * 0.50) / q.brow_len
    t = clamp(along, 0.0, 1.0)
    middle = q.brow_y + 0.05 * q.brow_up + q.brow_arch * sin(t * 2.35) * 0.9 + q.brow_tilt * (t - 0.4)
    thick = q.brow_t * (1.05 - t * t * 0.75) * smooth(-0.05, 0.16, along)
    strands = sin(p.ax * 90.0 + p.hy * (70.0 - t * 140.0)) * 0.28 + 0.72
    edge = smooth(1.05, 0.45, absolute(p.hy - middle) / (thick + 1e-3))
    return edge * smooth(-0.10, 0.06, along) * smooth(1.04, 0.90, along) * smooth(0.45, 0.60, p.hz) * strands


def paint_skin(q: Parameters, p: Place) -> tuple[Expr, Expr, Expr, Expr, Expr]:
    eye, mouth = eye_opening(q, p), mouth_place(q, p)
    c, lash = _around_eyes(q, p, _complexion(q, p), eye)
    c, lip, open_ = _mouth(q, p, c, mouth)
    nostril = bump(p.ax - 0.066 * q.nose_w, 0.034) * bump(p.hy + q.nose_l + 0.070 - q.nose_tip * 0.2, 0.022)
    c = tint(c, (0.30, 0.20, 0.18), clamp(nostril * smooth(0.8, 0.9, p.hz) * 1.1, high=1.0))
    brow = _brow(q, p)
    r, g, b = hair_colour(q, 0.60)
    c = mix(c, (r + 0.01, g + 0.01, b + 0.01), clamp(brow * 0.93, 0.0, 1.0))
    strand = beard_strands(q, p)
    grain = noise(p.hx, p.hy * 0.45, p.hz, 60.0, q.seed) * 0.08 + strand * 0.08 + 0.92
    beard = clamp(q.b_stub * beard_cover(q, p, mouth) * grain * (1.0 + 0.30 * smooth(0.5, 0.8, q.b_stub)), 0.0, 1.0)
    light = noise(p.hx, p.hy * 0.4, p.hz, 23.0, q.seed) * 0.18 + strand * 0.30 + 0.95
    c = mix(c, scale(hair_colour(q, 0.85), light), beard)
    above = p.hy - hairline(q, p) + noise(p.hx, p.hx * 0.7, p.hz, 17.0, q.seed) * 0.035
    scalp = smooth(-0.07, 0.04, above) * smooth(-0.02, 0.06, 0.80 * q.hw - p.ax) * smooth(-0.9, -0.5, p.hy)
    c = mix(c, hair_colour(q, 0.9), clamp(scalp * 0.75 * (1.0 - q.h_off), 0.0, 1.0))
    c = mix(c, (0.035, 0.022, 0.02), lash)
    weight = clamp(0.50 + 0.35 * lip - 0.46 * beard - 0.45 * clamp(brow, high=1.0), 0.03, 1.0) * (1.0 - 0.6 * open_)
    weight = weight * (1.0 + 0.35 * q.h_off * smooth(0.3, 0.8, p.hy))  # a bald head shines
    return c[0], c[1], c[2], weight, 22.0 + 30.0 * lip


def paint_eye(q: Parameters, p: Place) -> tuple[Expr, Expr, Expr, Expr, Expr]:
    eye = eye_opening(q, p)
    x = (p.hx - side(p) * q.ex) / q.er - q.gazex
    y = p.hy / q.er - q.gazey
    radius, iris_radius = length(x, y), 0.50
    ratio = radius * (1.0 / iris_radius)
    angle = atan2(y, x)
    fibres = sin(angle * 23.0 + sin(angle * 7.0) * 2.0) * 0.18 + 0.82
    glow = smooth(0.35, -0.5, y) * smooth(0.1, 0.5, ratio) * 0.75 + 0.65
    iris: Colour = scale((q.irr, q.irg, q.irb), fibres * glow)
    iris = mix(iris, (0.02, 0.02, 0.02), smooth(0.76, 1.0, ratio) * 0.80)
    iris = mix(iris, (0.008, 0.008, 0.008), smooth(0.235, 0.19, radius))
    red = smooth(0.7, 1.2, absolute(eye.u)) * 0.55
    white: Colour = tint((radius * 0.0 + 0.80, radius * 0.0 + 0.765, radius * 0.0 + 0.74), (1.0, 0.72, 0.66), red)
    c = mix(white, iris, smooth(iris_radius + 0.03, iris_radius - 0.02, radius))
    c = scale(c, smooth(-0.005, 0.075, eye.upper) * 0.62 + 0.38)  # shadow of the upper lid
    one = exp(radius * 0.0)
    return c[0], c[1], c[2], one, one * 420.0
