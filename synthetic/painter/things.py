"""Small things worn on a head: glasses, sunglasses, hearing aids, earrings. Distances in 10 cm, head frame."""

from synthetic.painter.algebra import Expr, absolute, capsule, length, maximum, minimum, where
from synthetic.painter.frames import Parameters, Place


def _rim(q: Parameters, p: Place) -> Expr:
    """Superellipse radius round the eye: 1 on the rim (`g_round` 2 round, 3.5 soft, 6 square)."""
    gx = absolute((p.ax - q.ex - 0.015) / q.g_w) + 1e-4
    gy = absolute((p.hy + 0.02) / q.g_h) + 1e-4
    return (gx**q.g_round + gy**q.g_round) ** (1.0 / q.g_round)


def glasses(q: Parameters, p: Place, fine: bool) -> Expr:
    ax, hy, hz = p.ax, p.hy, p.hz
    depth = 0.955 - ax * ax * 0.30
    radius = _rim(q, p)
    ring = length((radius - 1.0) * minimum(q.g_w, q.g_h), (hz - depth) * 0.9) - 0.021
    bridge = capsule(ax, hy, hz, (0.0, 0.035, 0.965), (0.10, 0.03, 0.95), 0.018, 0.018)
    arm = capsule(ax, hy, hz, (0.64 * q.hw, 0.03, 0.80), (0.80 * q.hw, 0.05, -0.05), 0.020, 0.018)
    hinge = capsule(ax, hy, hz, (0.51, 0.035, 0.875), (0.645 * q.hw, 0.03, 0.80), 0.020, 0.020)
    frame = minimum(minimum(ring, bridge), minimum(arm, hinge))
    lens = maximum((radius - 1.0) * minimum(q.g_w, q.g_h), absolute(hz - depth) - 0.012)
    return minimum(frame, where(q.shades > 0.5, lens, 9.0))


def hearing_aid(q: Parameters, p: Place, fine: bool) -> Expr:
    """A case behind the ear, a thin tube over it, a mould in it."""
    ax, hy, hz = p.ax, p.hy, p.hz
    x = 0.80 * q.hw
    case = capsule(ax, hy, hz, (x + 0.02, 0.15, -0.06), (x + 0.03, -0.16, -0.20), 0.050, 0.058)
    tube = capsule(ax, hy, hz, (x + 0.05, 0.155, -0.03), (x + 0.07, 0.06, 0.125), 0.020, 0.016)
    down = capsule(ax, hy, hz, (x + 0.07, 0.06, 0.125), (x + 0.035, -0.10, 0.06), 0.016, 0.016)
    mould = length(ax - x - 0.02, hy + 0.11, hz - 0.05) - 0.048
    return minimum(minimum(case, tube), minimum(down, mould))


def earring(q: Parameters, p: Place, fine: bool) -> Expr:
    return length(p.ax - 0.775 * q.hw - 0.02, p.hy + 0.09 + q.ear_s * 0.27, p.hz - 0.07) - 0.040
