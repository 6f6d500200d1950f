"""Which formulas become which compiled functions, and their text in C.

A *part* is a shape with its own paint; a picture evaluates only the parts and variants that its parameters switch on.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

from synthetic.painter import clothes, face, hair, things
from synthetic.painter.algebra import Expr, Tape
from synthetic.painter.frames import Parameters, Place, locate
from synthetic.painter.light import lit
from synthetic.painter.paint_skin import paint_eye, paint_skin
from synthetic.painter.paint_things import (
    GARMENT_PAINT,
    paint_aid,
    paint_cover,
    paint_glasses,
    paint_hair,
    paint_ring,
)
from synthetic.painter.parameters import COVERS, HAIR_KINDS, INDEX, WEAR

Shape = Callable[[Parameters, Place, bool], Expr]
Paint = Callable[[Parameters, Place], tuple[Expr, ...]]

# Order is the material number in masks and in the C driver.
PARTS = ("skin", "eyes", "hair", "clothes", "glasses", "cover", "things")

# Sine to 1e-5 and exp to 1e-5 relative: three times as fast as the library's, and plenty for hair.
PRELUDE = r"""
#include <math.h>
#include <string.h>
#define FUNCTION static
static inline float sine(float x){
  float k=rintf(x*0.318309886f), r=x-k*3.14159265f, s=r*r;
  float p=r*(0.99999661f+s*(-0.16664824f+s*(0.00830629f-s*0.00018363f)));
  return ((int)k&1)?-p:p;
}
static inline float power_e(float x){
  float t=(x<-80.f?-80.f:(x>80.f?80.f:x))*1.44269504f, k=floorf(t), f=t-k;
  float p=1.f+f*(0.69314718f+f*(0.24022651f+f*(0.05550411f+f*(0.00961813f+f*0.00133336f))));
  int bits=((int)k+127)<<23; float scale; memcpy(&scale,&bits,4);
  return p*scale;
}
"""

POINT = ("x", "y", "z")
LIT = (*POINT, "nx", "ny", "nz", "vx", "vy", "vz", "sh", "ao")


def _variants() -> dict[str, tuple[Shape, Paint, str]]:
    """Kernel name → shape, paint, kind of light."""
    table: dict[str, tuple[Shape, Paint, str]] = {
        "skin": (face.skin, paint_skin, "skin"),
        "eyes": (face.eyeball, paint_eye, "eye"),
        "glasses": (things.glasses, paint_glasses, "cloth"),
        "aid": (things.hearing_aid, paint_aid, "cloth"),
        "ring": (things.earring, paint_ring, "cloth"),
    }
    for kind in HAIR_KINDS:
        table[f"hair_{kind}"] = (functools.partial(hair.hair, long=kind == "long"), paint_hair, "hair")
    for kind in WEAR:
        table[f"clothes_{kind}"] = (clothes.GARMENTS[kind], GARMENT_PAINT[kind], "cloth")
    for kind in COVERS[1:]:
        table[f"cover_{kind}"] = (clothes.COVERINGS[kind], paint_cover, "cloth")
    return table


@dataclass(frozen=True)
class Kernel:
    """One recorded formula: what it reads and what it gives."""

    name: str
    tape: Tape
    inputs: tuple[str, ...]
    outputs: tuple[Expr, ...]

    def lines(self) -> tuple[list[str], list[str]]:
        """Operations that depend on the parameters alone, and the others; dead ones left out."""
        needed: set[str] = {o.name for o in self.outputs}
        for line, _, reads in reversed(self.tape.lines):
            if line in needed:
                needed.update(reads)
        once: list[str] = []
        each: list[str] = []
        constant: set[str] = set()
        for line, text, reads in self.tape.lines:
            if line not in needed:
                continue
            if all(r in constant for r in reads):
                constant.add(line)
                once.append(f"const float {line}={text};")
            else:
                each.append(f"const float {line}={text};")
        return once, each


def shape_kernel(name: str, shape: Shape, fine: bool) -> Kernel:
    tape = Tape()
    q = Parameters(tape)
    place = locate(q, *(Expr(tape, i) for i in POINT))
    return Kernel(f"{'fine' if fine else 'dist'}_{name}", tape, POINT, (shape(q, place, fine),))


def paint_kernel(name: str, paint: Paint, kind: str) -> Kernel:
    """Outputs: irradiance rgb, reflection rgb, albedo rgb."""
    tape = Tape()
    q = Parameters(tape)
    x, y, z, nx, ny, nz, vx, vy, vz, shadow, ao = (Expr(tape, i) for i in LIT)
    made = paint(q, locate(q, x, y, z))
    strand = (made[5], made[6], made[7], made[8]) if kind == "hair" else None
    light = lit(q, (nx, ny, nz), (vx, vy, vz), shadow, ao, (made[0], made[1], made[2]), kind, made[3], made[4], strand)
    return Kernel(f"paint_{name}", tape, LIT, (*light, *made[:3]))


def vector_text(kernel: Kernel) -> str:
    """One C function over n points. What depends on parameters alone is computed once, before the loop."""
    once, each = kernel.lines()
    inputs = kernel.inputs
    arguments = [f"const float*restrict i_{i}" for i in inputs]
    arguments += [f"float*restrict o{k}" for k in range(len(kernel.outputs))]
    return "\n".join(
        [
            f"FUNCTION void {kernel.name}(const float*restrict P,{','.join(arguments)},int n){{",
            *once,
            # Whole vectors only: the odd rest would run through scalar functions at a tenth of the speed.
            "int whole=(n+15)&~15;",
            "for(int i=n;i<whole;i++){" + "".join(f"((float*)i_{i})[i]=i_{i}[n-1];" for i in inputs) + "}",
            "#pragma omp simd",
            "for(int i=0;i<whole;i++){",
            *(f"const float {i}=i_{i}[i];" for i in inputs),
            *each,
            *(f"o{k}[i]={o.name};" for k, o in enumerate(kernel.outputs)),
            "}}\n",
        ]
    )


def thread_text(kernel: Kernel) -> str:
    """One CUDA device function for one point."""
    once, each = kernel.lines()
    arguments = [f"float {i}" for i in kernel.inputs] + [f"float*o{k}" for k in range(len(kernel.outputs))]
    return "\n".join(
        [
            f"static __device__ void {kernel.name}(const float*P,{','.join(arguments)}){{",
            *once,
            *each,
            *(f"*o{k}={o.name};" for k, o in enumerate(kernel.outputs)),
            "}\n",
        ]
    )


def dispatch(prefix: str, call: str, declared: str, function: str = "static") -> str:
    """C functions that call the variant a parameter asks for."""
    text = ""
    for part, kinds, first, code in (
        ("hair", HAIR_KINDS, 0, "h_kind"),
        ("clothes", WEAR, 0, "wear"),
        ("cover", COVERS[1:], 1, "cover"),
    ):
        cases = "".join(f"case {k}:{prefix}_{part}_{kind}({call});break;" for k, kind in enumerate(kinds, first))
        text += f"{function} void {prefix}_{part}({declared}){{switch((int)P[{INDEX[code]}]){{{cases}}}}}\n"
    return text


@functools.cache
def kernels() -> tuple[Kernel, ...]:
    """Every kernel (a second or two of tracing)."""
    made: list[Kernel] = []
    for name, (shape, paint, kind) in _variants().items():
        made += [shape_kernel(name, shape, False), shape_kernel(name, shape, True), paint_kernel(name, paint, kind)]
    return tuple(made)


def places() -> str:
    """P_NAME constants for the drivers."""
    return "".join(f"#define P_{name.upper()} {place}\n" for name, place in INDEX.items())


def source() -> str:
    """The whole C translation unit but for the driver."""
    point = "const float*P,const float*x,const float*y,const float*z,float*d,int n"
    outputs = [f"o{k}" for k in range(9)]
    lit_declared = ",".join(
        ["const float*P", *(f"const float*{i}" for i in LIT), *(f"float*{o}" for o in outputs), "int n"]
    )
    lit_call = ",".join(["P", *LIT, *outputs, "n"])
    return (
        PRELUDE
        + places()
        + "".join(vector_text(kernel) for kernel in kernels())
        + dispatch("dist", "P,x,y,z,d,n", point)
        + dispatch("fine", "P,x,y,z,d,n", point)
        + dispatch("paint", lit_call, lit_declared)
    )
