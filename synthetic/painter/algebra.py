"""Shapes and paint are written once as formulas; this records them as straight-line C, one operation a line.

A formula is an ordinary Python function of `Expr` values. Running it once appends its operations to a `Tape`, with
common subexpressions shared. The text is valid C and valid CUDA C. It exists because two thousand elementwise
operations, sixty times per pixel, are far too slow in array libraries, and their compilers choke on chains this deep.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field


def literal(number: float) -> str:
    """A C float literal; negative ones in brackets, because `a--0.2f` is not C."""
    text = repr(float(number))
    text = text + "f" if "e" in text or "." in text else text + ".f"
    return f"({text})" if text.startswith("-") else text


@dataclass
class Tape:
    """The operations recorded so far: (name, C expression, names it reads)."""

    lines: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)

    def emit(self, text: str, *reads: "Expr | float") -> "Expr":
        name = self.seen.get(text)
        if name is None:
            name = f"t{len(self.lines)}"
            self.lines.append((name, text, tuple(r.name for r in reads if isinstance(r, Expr))))
            self.seen[text] = name
        return Expr(self, name)


def written(value: "Expr | float") -> str:
    return value.name if isinstance(value, Expr) else literal(value)


class Expr:
    """One recorded value: a name on a tape, with arithmetic that records more."""

    __slots__ = ("name", "tape")

    def __init__(self, tape: Tape, name: str) -> None:
        self.tape = tape
        self.name = name

    def _binary(self, left: "Expr | float", operator: str, right: "Expr | float") -> "Expr":
        if not isinstance(right, Expr):
            number = float(right)
            if (operator in "+-" and number == 0) or (operator in "*/" and number == 1):
                return self
            if operator == "/":
                return self._binary(left, "*", 1.0 / number)
        if not isinstance(left, Expr) and ((operator == "+" and left == 0) or (operator == "*" and left == 1)):
            return self
        return self.tape.emit(f"{written(left)}{operator}{written(right)}", left, right)

    def __add__(self, other: "Expr | float") -> "Expr":
        return self._binary(self, "+", other)

    def __radd__(self, other: float) -> "Expr":
        return self._binary(other, "+", self)

    def __sub__(self, other: "Expr | float") -> "Expr":
        return self._binary(self, "-", other)

    def __rsub__(self, other: float) -> "Expr":
        return self._binary(other, "-", self)

    def __mul__(self, other: "Expr | float") -> "Expr":
        return self._binary(self, "*", other)

    def __rmul__(self, other: float) -> "Expr":
        return self._binary(other, "*", self)

    def __truediv__(self, other: "Expr | float") -> "Expr":
        return self._binary(self, "/", other)

    def __rtruediv__(self, other: float) -> "Expr":
        return self._binary(other, "/", self)

    def __neg__(self) -> "Expr":
        return self.tape.emit(f"-{self.name}", self)

    def __lt__(self, other: "Expr | float") -> "Expr":
        return self.tape.emit(f"({self.name}<{written(other)})?1.f:0.f", self, other)

    def __gt__(self, other: "Expr | float") -> "Expr":
        return self.tape.emit(f"({self.name}>{written(other)})?1.f:0.f", self, other)

    def __pow__(self, power: "Expr | float") -> "Expr":
        if not isinstance(power, Expr) and float(power).is_integer() and 0 < power <= 512:
            result: Expr | None = None
            square, left = self, int(power)
            while left:
                if left & 1:
                    result = square if result is None else result * square
                left >>= 1
                if left:
                    square = square * square
            assert result is not None
            return result
        return self.tape.emit(f"powf(fmaxf({self.name},1e-6f),{written(power)})", self, power)


def _call(function: str, *arguments: "Expr | float") -> Expr:
    tape = next(a.tape for a in arguments if isinstance(a, Expr))
    return tape.emit(f"{function}({','.join(written(a) for a in arguments)})", *arguments)


def sin(a: Expr) -> Expr:
    return _call("sine", a)


def cos(a: Expr) -> Expr:
    return _call("sine", a + 1.5707963)


def exp(a: Expr) -> Expr:
    return _call("power_e", a)


def sqrt(a: Expr) -> Expr:
    return _call("sqrtf", a)


def absolute(a: Expr) -> Expr:
    return _call("fabsf", a)


def atan2(a: Expr, b: Expr) -> Expr:
    return _call("atan2f", a, b)


def _choose(condition: str, first: "Expr | float", second: "Expr | float", *reads: "Expr | float") -> Expr:
    tape = next(r.tape for r in reads if isinstance(r, Expr))
    return tape.emit(f"({condition})?{written(first)}:{written(second)}", *reads)


def minimum(a: "Expr | float", b: "Expr | float", *more: "Expr | float") -> Expr:
    least = _choose(f"{written(a)}<{written(b)}", a, b, a, b)
    for other in more:
        least = _choose(f"{least.name}<{written(other)}", least, other, least, other)
    return least


def maximum(a: "Expr | float", b: "Expr | float", *more: "Expr | float") -> Expr:
    most = _choose(f"{written(a)}>{written(b)}", a, b, a, b)
    for other in more:
        most = _choose(f"{most.name}>{written(other)}", most, other, most, other)
    return most


def where(condition: Expr, a: "Expr | float", b: "Expr | float") -> Expr:
    return _choose(f"{condition.name}!=0.f", a, b, condition, a, b)


def clamp(a: Expr, low: "float | None" = None, high: "float | None" = None) -> Expr:
    if low is not None:
        a = maximum(a, low)
    return a if high is None else minimum(a, high)


def smooth(low: float, high: float, x: Expr) -> Expr:
    """Smoothstep from 0 at `low` to 1 at `high`; `low` may be the larger."""
    t = clamp((x - low) * (1.0 / (high - low)), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def bump(x: Expr, width: float) -> Expr:
    """Gaussian bump exp(-(x/width)^2)."""
    scaled = x * (1.0 / width)
    return exp(-(scaled * scaled))


def blend(a: "Expr | float", b: "Expr | float", weight: Expr) -> Expr:
    return weight * (b - a) + a


def union(a: Expr, b: Expr, radius: float) -> Expr:
    """Polynomial smooth minimum of two distances."""
    h = clamp((b - a) * (0.5 / radius) + 0.5, 0.0, 1.0)
    return b + (a - b) * h - radius * h * (1.0 - h)


def intersect(a: Expr, b: Expr, radius: float) -> Expr:
    """Polynomial smooth maximum: what lies in both."""
    return -union(-a, -b, radius)


def length(*components: Expr) -> Expr:
    total = components[0] * components[0]
    for c in components[1:]:
        total = total + c * c
    return sqrt(total + 1e-8)


def ellipsoid(x: Expr, y: Expr, z: Expr, rx: "Expr | float", ry: "Expr | float", rz: "Expr | float") -> Expr:
    """Approximate signed distance of an axis-aligned ellipsoid (good near its surface)."""
    ux, uy, uz = x / rx, y / ry, z / rz
    k0 = length(ux, uy, uz)
    k1 = length(ux / rx, uy / ry, uz / rz)
    return k0 * (k0 - 1.0) / k1


Point = Sequence["Expr | float"]


def capsule(x: Expr, y: Expr, z: Expr, a: Point, b: Point, ra: "Expr | float", rb: "Expr | float") -> Expr:
    """Tapered capsule from point a (radius ra) to point b (radius rb)."""
    bx, by, bz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    px, py, pz = x - a[0], y - a[1], z - a[2]
    h = clamp((px * bx + py * by + pz * bz) / (bx * bx + by * by + bz * bz), 0.0, 1.0)
    return length(px - h * bx, py - h * by, pz - h * bz) - (h * (rb - ra) + ra)


def noise(x: Expr, y: Expr, z: Expr, frequency: float, seed: Expr) -> Expr:
    """Cheap smooth pseudo-noise in -1..1."""
    f = frequency
    a = sin(x * f + sin(y * (f * 0.7) + seed) * 1.7 + seed)
    b = sin(y * (f * 1.13) + sin(z * (f * 0.8) + seed * 2.0) * 1.9)
    c = sin(z * (f * 0.93) + sin(x * (f * 0.9) + seed * 3.0) * 1.3)
    return (a + b + c) * (1.0 / 3.0)
