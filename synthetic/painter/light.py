"""Three lights, a sky and what they do to skin, hair and cloth. Writes irradiance and reflections apart, because
light must be blurred under the skin before it takes the skin's colour (see `develop.py`)."""

from synthetic.painter.algebra import Expr, clamp, length, smooth, sqrt
from synthetic.painter.frames import Parameters

Vector = tuple[Expr, Expr, Expr]

# How far light wraps round skin, per channel: red travels furthest, which warms the edge of a shadow.
WRAP = (0.30, 0.12, 0.07)


def dot(a: "tuple[Expr, ...]", b: "tuple[Expr, ...]") -> Expr:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def strand_direction(q: Parameters, normal: Vector, t: Vector) -> Vector:
    """Head-space strand direction turned into the world and laid onto the surface."""
    wx = q.r00 * t[0] + q.r01 * t[1] + q.r02 * t[2]
    wy = q.r10 * t[0] + q.r11 * t[1] + q.r12 * t[2]
    wz = q.r20 * t[0] + q.r21 * t[1] + q.r22 * t[2]
    along = wx * normal[0] + wy * normal[1] + wz * normal[2]
    wx, wy, wz = wx - along * normal[0], wy - along * normal[1], wz - along * normal[2]
    size = 1.0 / length(wx, wy, wz)
    return wx * size, wy * size, wz * size


def lit(
    q: Parameters,
    n: Vector,
    v: Vector,
    shadow: Expr,
    ao: Expr,
    albedo: Vector,
    kind: str,
    weight: Expr,
    power: Expr,
    strand: "tuple[Expr, Expr, Expr, Expr] | None",
) -> tuple[Expr, ...]:
    """Irradiance (3) and reflection (3) of one material: kind is skin, eye, hair or cloth."""
    energy: list[Expr] = [ao * 0.0] * 3
    mirror: list[Expr] = [ao * 0.0] * 3
    tangent = strand_direction(q, n, strand[:3]) if strand else None
    lights = (
        ((q.klx, q.kly, q.klz), (q.kr, q.kg, q.kb), shadow),
        ((q.flx, q.fly, q.flz), (q.fr, q.fg, q.fb), ao * 0.65 + 0.35),
        ((q.rlx, q.rly, q.rlz), (q.rr, q.rg, q.rb), ao * 0.75 + 0.25),
    )
    for direction, colour, shade in lights:
        nd = dot(n, direction)
        facing = clamp(nd, low=0.0)
        hx, hy, hz = direction[0] + v[0], direction[1] + v[1], direction[2] + v[2]
        size = 1.0 / length(hx, hy, hz)
        half = (hx * size, hy * size, hz * size)
        nh, vh = clamp(dot(n, half), low=0.0), clamp(dot(v, half), 0.0, 1.0)
        fresnel = (1.0 - vh) ** 5 * 0.965 + 0.035
        if tangent is not None and strand is not None:
            diffuse, shine, tinted = _on_hair(tangent, direction, half, nd, facing, strand[3], shade)
            for i in range(3):
                energy[i] = energy[i] + colour[i] * diffuse * shade
                mirror[i] = mirror[i] + colour[i] * weight * (shine + tinted * (albedo[i] * 2.2 + 0.01))
            continue
        spark = weight * (power + 8.0) * (1 / 25.1) * nh**power * fresnel * facing * shade * 2.2
        if kind == "skin":
            spark = spark + weight * 0.05 * nh**7 * facing * shade
        for i in range(3):
            if kind == "skin":
                soft = clamp((nd + WRAP[i]) * (1.0 / (1.0 + WRAP[i])), low=0.0)
                energy[i] = energy[i] + colour[i] * (soft * soft * 0.35 + soft * 0.65) * (shade if i else shade**0.8)
            elif kind == "eye":
                energy[i] = energy[i] + colour[i] * clamp((nd + 0.3) * (1 / 1.3), low=0.0) * shade
            else:
                energy[i] = energy[i] + colour[i] * facing * shade
            mirror[i] = mirror[i] + colour[i] * spark
    return _with_sky(q, n, v, ao, kind, energy, mirror)


def _on_hair(
    tangent: Vector, direction: Vector, half: Vector, nd: Expr, facing: Expr, brightness: Expr, shade: Expr
) -> tuple[Expr, Expr, Expr]:
    """Kajiya-Kay: diffuse, and two shifted highlights along the strand, one white and one in the hair's colour."""
    along = dot(tangent, direction)
    diffuse = sqrt(clamp(1.0 - along * along, low=0.0)) * 0.55 * smooth(-0.35, 0.6, nd) + facing * 0.45
    th = dot(tangent, half)
    first, second = th + 0.10 + (brightness - 0.5) * 0.16, th - 0.16 + (brightness - 0.5) * 0.25
    reach = smooth(-0.2, 0.4, nd) * shade
    white = clamp(1.0 - first * first, low=1e-4) ** 64 * 0.11 * reach
    return diffuse, white, clamp(1.0 - second * second, low=1e-4) ** 18 * 0.38 * reach


def _with_sky(
    q: Parameters, n: Vector, v: Vector, ao: Expr, kind: str, energy: list[Expr], mirror: list[Expr]
) -> tuple[Expr, ...]:
    up = n[1] * 0.5 + 0.5
    ground, sky = (q.gndr, q.gndg, q.gndb), (q.ar, q.ag, q.ab)
    occluded = (ao**0.75, ao, ao**1.05)
    rim = (1.0 - clamp(dot(n, v), 0.0, 1.0)) ** 4
    sheen = {"skin": 0.25, "cloth": 0.10}.get(kind, 0.0)
    for i in range(3):
        ambient = ground[i] + (sky[i] - ground[i]) * up
        energy[i] = energy[i] + ambient * occluded[i]
        mirror[i] = mirror[i] + ambient * ao * rim * sheen
    return (*energy, *mirror)
