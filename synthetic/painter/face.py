"""The shape of a head: skull, jaw, lids, nose, lips, ears, neck, age lines, beard. Signed distances in units of 10 cm.

Ellipsoids and capsules joined by smooth minima. Face shape carries most of what makes somebody recognisable:
`fl` (length of the lower face), `jaw_w`, nose and eyes.
"""

import math

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
    union,
    where,
)
from synthetic.painter.frames import (
    Parameters,
    Place,
    beard_cover,
    eye_opening,
    mouth_place,
)


def skull(q: Parameters, p: Place) -> Expr:
    """The cranium alone: hair and head coverings are offsets of it."""
    return ellipsoid(p.ax, p.hy - 0.33 * q.crown, p.hz + 0.03, 0.735 * q.hw, 0.80 * q.crown, 0.93)


def _face_mass(q: Parameters, p: Place) -> Expr:
    ax, hy, hz = p.ax, p.hy, p.hz
    fy = hy / where(hy < 0.0, q.fl, 1.0)  # stretch of the lower face
    d = ellipsoid(ax, fy + 0.22, hz - 0.22, 0.605 * q.hw, 0.88, 0.62)
    d = union(d, skull(q, p), 0.22)
    d = union(d, ellipsoid(ax - q.jaw_w * 0.48, fy - q.jaw_y, hz - 0.20, q.jaw_w * 0.50, q.jaw_r, 0.40), 0.16)
    d = union(d, ellipsoid(ax - q.chin_w * 0.5, fy - q.chin_y, hz - q.chin_z, q.chin_w, 0.15, 0.155), 0.17)
    d = union(d, ellipsoid(ax, fy + 0.62, hz - 0.60, 0.27, 0.26, 0.255), 0.16)
    rise = 0.03 - 0.05 * q.smile - q.cheek_y
    cheek = ellipsoid(
        ax - 0.40 * q.hw, fy + rise, hz - 0.50 - 0.02 * q.smile, q.cheek * (0.05 * q.smile + 1.0), 0.17, q.cheek
    )
    d = union(d, cheek, 0.17)
    d = union(d, ellipsoid(ax - 0.28, hy - 0.19, hz - 0.70, 0.26, 0.08, q.brow_ridge), 0.13)
    d = intersect(d, -ellipsoid(ax - q.ex, hy - 0.005, hz - 0.98, 0.20, 0.125, 0.165), 0.13)
    return union(d, length(ax - q.ex, hy, hz - q.ez) - (q.er + 0.016), 0.045)


def _nose(q: Parameters, p: Place, d: Expr) -> Expr:
    ax, hy, hz = p.ax, p.hy, p.hz
    ny = -q.nose_l
    bridge_end = (0.0, ny + 0.05, q.nose_p * 0.72 + 0.86)
    d = union(d, capsule(ax, hy, hz, (0.0, 0.10, 0.77), bridge_end, 0.075 * q.nose_b, 0.080 * q.nose_b), 0.11)
    tip_y = hy - ny - 0.035 - q.nose_tip * 0.3
    d = union(d, ellipsoid(ax, tip_y, hz - 0.87 - q.nose_p * 0.80, 0.105 * q.nose_w, 0.085, 0.105), 0.06)
    wing = ellipsoid(
        ax - 0.118 * q.nose_w, hy - ny + 0.012, hz - 0.875 - q.nose_p * 0.22, 0.075 * q.nose_w, 0.066, 0.105
    )
    d = union(d, wing, 0.05)
    nostril_y = hy - ny + 0.075 - q.nose_tip * 0.2
    hole = ellipsoid(ax - 0.068 * q.nose_w, nostril_y, hz - 0.93 - q.nose_p * 0.40, 0.040 * q.nose_w, 0.030, 0.075)
    return intersect(d, -hole, 0.03)


def _lips(q: Parameters, p: Place, d: Expr) -> Expr:
    m = mouth_place(q, p)
    zl = 0.845 - m.x2 * 0.0425 - 0.02 * q.smile
    upper = ellipsoid(
        p.hx, m.y - m.gap - q.lip_u * 0.42, p.hz - zl, m.width * 0.94, q.lip_u * 0.66, q.lip_u * 0.25 + 0.062
    )
    lower = ellipsoid(
        p.hx, m.y + m.gap + q.lip_l * 0.48, p.hz - zl + 0.002, m.width * 0.80, q.lip_l * 0.62, q.lip_l * 0.25 + 0.070
    )
    d = union(union(d, upper, 0.035), lower, 0.035)
    groove = length(m.y, (p.hz - 0.93) * 0.6) - 0.012 - m.gap * 0.5
    return intersect(d, -maximum(groove, p.ax - m.width), 0.03)


def _ear(q: Parameters, p: Place) -> Expr:
    x, y, z = p.ax - 0.735 * q.hw - 0.035 * q.ear_out, p.hy + 0.09, p.hz + 0.02
    c, s = math.cos(0.18), math.sin(0.18)
    y, z = y * c + z * s, z * c - y * s
    x = x + 0.45 * q.ear_out * z
    ear = ellipsoid(x, y, z, 0.075, 0.27 * q.ear_s, 0.165 * q.ear_s)
    hidden = where(absolute(q.cover - 1.0) < 0.5, 0.30, 0.0)  # under a head scarf
    ear = ear + hidden
    return intersect(ear, -ellipsoid(x - 0.085, y - 0.03, z - 0.01, 0.085, 0.17 * q.ear_s, 0.095 * q.ear_s), 0.03)


def age_lines(q: Parameters, p: Place) -> Expr:
    """Depth 0..1 of the lines in this skin: forehead, beside the mouth (deeper in a smile), at the eyes' corners."""
    front = smooth(0.45, 0.62, p.hz)
    wave = sin(p.hy * 46.0 + bump(p.ax - 0.05, 0.30) * 1.3 + sin(p.hx * 5.0 + q.seed) * 0.5)
    forehead = clamp(wave * 1.6 - 0.7, 0.0, 1.0) * smooth(0.33, 0.40, p.hy) * smooth(0.66, 0.56, p.hy)
    forehead = forehead * smooth(0.50, 0.34, p.ax) * front * q.age
    # Nasolabial fold: a segment from beside the nose wing to outside the mouth's corner.
    x0, y0, x1, y1 = 0.185, -0.37, 0.335, -0.70
    t = clamp(((p.ax - x0) * (x1 - x0) + (p.hy - y0) * (y1 - y0)) * (1.0 / ((x1 - x0) ** 2 + (y1 - y0) ** 2)), 0.0, 1.0)
    bow = sin(t * math.pi) * 0.022
    fold = length(p.ax - (t * (x1 - x0) + x0) - bow, p.hy - (t * (y1 - y0) + y0))
    nasolabial = bump(fold, 0.026) * front * clamp(q.age * 0.85 + clamp(q.smile, low=0.0) * 0.30 * q.fold, 0.0, 1.0)
    # Crow's feet: rays from the outer corner of the eye.
    cx, cy = p.ax - q.ex - q.ew * 1.15, p.hy
    ray = sin(cy / (length(cx, cy) + 0.03) * 9.0 + 1.0)
    feet = clamp(ray * 1.5 - 0.5, 0.0, 1.0) * smooth(0.0, 0.04, cx) * smooth(0.17, 0.09, length(cx, cy))
    feet = feet * clamp(q.age * 0.8 + clamp(q.smile, low=0.0) * 0.2 * q.age, 0.0, 1.0) * smooth(0.2, 0.35, p.hz)
    bag = bump(length((p.ax - q.ex) * 0.55, p.hy + 0.185 - (p.ax - q.ex) * (p.ax - q.ex) * 1.2), 0.020)
    bag = bag * front * q.age * 0.6
    return maximum(maximum(forehead * 0.8, nasolabial), maximum(feet * 0.8, bag))


def neck(q: Parameters, p: Place) -> Expr:
    d = capsule(p.bx, p.by, p.bz, (0.0, -0.5, -0.13), (0.0, -1.75, -0.26), q.neck_w, q.neck_w * 1.06)
    return union(d, capsule(p.ab, p.by, p.bz, (0.30, -0.55, -0.05), (0.09, -1.62, 0.14), 0.085, 0.07), 0.12)


def torso(q: Parameters, p: Place) -> Expr:
    trapezius = capsule(p.ab, p.by, p.bz, (0.10, -1.33, -0.30), (q.sh_w * 1.16, -1.90, -0.26), 0.22, 0.31)
    chest = ellipsoid(p.ab, clamp(p.by + 2.80, low=0.0), p.bz + 0.16, q.sh_w * 1.30, 1.08, 0.62)
    arm = capsule(p.ab, p.by, p.bz, (q.sh_w * 1.27, -2.02, -0.25), (q.sh_w * 1.62, -4.6, -0.20), 0.27, 0.28)
    return union(union(trapezius, chest, 0.25), arm, 0.16)


def beard_strands(q: Parameters, p: Place) -> Expr:
    """-1..1 across fine, slightly wavy strands that run down and outwards."""
    bend = sin(p.hy * 11.0 + q.seed) * 1.3 + noise(p.hx, p.hy, p.hz, 8.0, q.seed) * 2.5
    first = sin(p.hx * 105.0 + p.hz * 85.0 + bend)
    return first * 0.6 + sin(p.hx * 61.0 - p.hz * 70.0 + p.hy * 14.0 + bend) * 0.4


def skin(q: Parameters, p: Place, fine: bool) -> Expr:
    """Head, neck and chest. `fine` adds what only the surface normal needs: strands of beard, age lines, pores."""
    d = union(_lips(q, p, _nose(q, p, _face_mass(q, p))), _ear(q, p), 0.05)
    opening = eye_opening(q, p).inside * 0.9
    hole = minimum(opening, p.hz - q.ez - 0.03, 0.24 - length(p.ax - q.ex, p.hy, p.hz - q.ez))
    d = intersect(d, hole, 0.014)
    # Long at the chin, thin on the cheeks and gone before the ears: a thick edge there would stand off like a flap.
    grown = smooth(0.02, 0.42, p.hz) * (smooth(-0.50, -0.95, p.hy) * 0.60 + 0.40)
    beard = q.b_geo * grown * beard_cover(q, p, mouth_place(q, p))
    if fine:
        beard = beard * (1.0 + beard_strands(q, p) * 0.14)
        d = d + age_lines(q, p) * 0.013
        d = d + noise(p.hx, p.hy, p.hz, 55.0, q.seed) * 0.0006
    body = union(neck(q, p), torso(q, p), 0.20)
    return union(d - beard, body, 0.11)


def eyeball(q: Parameters, p: Place, fine: bool) -> Expr:
    """Eyeballs with the bulge of the cornea, without which highlights sit wrong."""
    ball = length(p.ax - q.ex, p.hy, p.hz - q.ez) - q.er
    return minimum(ball, length(p.ax - q.ex, p.hy, p.hz - q.ez - q.er * 0.42) - q.er * 0.635)
