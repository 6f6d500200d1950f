"""Which formulas become which compiled functions, and their text in C.

A *part* is a shape with its own paint; a picture evaluates only the parts and variants that its parameters switch on.
"""

import functools
from collections.abc import Callable

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


def shape_kernel(name: str, shape: Shape, fine: bool) -> str:
    tape = Tape()
    q = Parameters(tape)
    place = locate(q, *(Expr(tape, i) for i in POINT))
    return function_text(f"{'fine' if fine else 'dist'}_{name}", tape, POINT, (shape(q, place, fine),))


def paint_kernel(name: str, paint: Paint, kind: str) -> str:
    """Outputs: irradiance rgb, reflection rgb, albedo rgb."""
    tape = Tape()
    q = Parameters(tape)
    x, y, z, nx, ny, nz, vx, vy, vz, shadow, ao = (Expr(tape, i) for i in LIT)
    made = paint(q, locate(q, x, y, z))
    strand = (made[5], made[6], made[7], made[8]) if kind == "hair" else None
    light = lit(q, (nx, ny, nz), (vx, vy, vz), shadow, ao, (made[0], made[1], made[2]), kind, made[3], made[4], strand)
    return function_text(f"paint_{name}", tape, LIT, (*light, *made[:3]))


def function_text(name: str, tape: Tape, inputs: tuple[str, ...], outputs: tuple[Expr, ...]) -> str:
    """One C function over n points. What depends on parameters alone is computed once, before the loop."""
    needed: set[str] = {o.name for o in outputs}
    for line, _, reads in reversed(tape.lines):
        if line in needed:
            needed.update(reads)
    once: list[str] = []
    each: list[str] = []
    constant: set[str] = set()
    for line, text, reads in tape.lines:
        if line not in needed:
            continue
        if all(r in constant for r in reads):
            constant.add(line)
            once.append(f"const float {line}={text};")
        else:
            each.append(f"const float {line}={text};")
    arguments = [f"const float*restrict i_{i}" for i in inputs] + [f"float*restrict o{k}" for k in range(len(outputs))]
    return "\n".join(
        [
            f"FUNCTION void {name}(const float*restrict P,{','.join(arguments)},int n){{",
            *once,
            # Whole vectors only: the odd rest would run through scalar functions at a tenth of the speed.
            "int whole=(n+15)&~15;",
            "for(int i=n;i<whole;i++){" + "".join(f"((float*)i_{i})[i]=i_{i}[n-1];" for i in inputs) + "}",
            "#pragma omp simd",
            "for(int i=0;i<whole;i++){",
            *(f"const float {i}=i_{i}[i];" for i in inputs),
            *each,
            *(f"o{k}[i]={o.name};" for k, o in enumerate(outputs)),
            "}}\n",
        ]
    )


def _dispatch(prefix: str, arguments: str, declared: str) -> str:
    """C functions that call the variant a parameter asks for."""
    text = ""
    for part, kinds, code in (("hair", HAIR_KINDS, "h_kind"), ("clothes", WEAR, "wear")):
        cases = "".join(f"case {k}:{prefix}_{part}_{kind}(P,{arguments},n);break;" for k, kind in enumerate(kinds))
        text += f"static void {prefix}_{part}({declared}){{switch((int)P[{INDEX[code]}]){{{cases}}}}}\n"
    cases = "".join(f"case {k + 1}:{prefix}_cover_{kind}(P,{arguments},n);break;" for k, kind in enumerate(COVERS[1:]))
    return text + f"static void {prefix}_cover({declared}){{switch((int)P[{INDEX['cover']}]){{{cases}}}}}\n"


@functools.cache
def kernel_texts() -> tuple[str, ...]:
    """Every kernel, one text each (a second or two of tracing)."""
    texts: list[str] = []
    for name, (shape, paint, kind) in _variants().items():
        texts += [shape_kernel(name, shape, False), shape_kernel(name, shape, True), paint_kernel(name, paint, kind)]
    return tuple(texts)


def source() -> str:
    """The whole C translation unit but for the driver."""
    point = "const float*P,const float*x,const float*y,const float*z,float*d,int n"
    lit_inputs = ",".join(f"const float*{i}" for i in LIT)
    lit_outputs = ",".join(f"float*o{k}" for k in range(9))
    lit_call = ",".join((*LIT, *(f"o{k}" for k in range(9))))
    places = "".join(f"#define P_{name.upper()} {place}\n" for name, place in INDEX.items())
    return (
        PRELUDE
        + places
        + "".join(kernel_texts())
        + _dispatch("dist", "x,y,z,d", point)
        + _dispatch("fine", "x,y,z,d", point)
        + _dispatch("paint", lit_call, f"const float*P,{lit_inputs},{lit_outputs},int n")
    )
