"""The same painter for a GPU: the text of one CUDA translation unit, one thread per pixel, many pictures per launch.

The formulas are the ones that the C library is built from. Compile with `nvcc -O3 --use_fast_math -shared -Xcompiler
-fPIC`; the entry point is `paint_batch` (see `driver.cu`). Only its compilation is tested on machines without a GPU.
"""

from pathlib import Path

from synthetic.painter.kernels import LIT, dispatch, kernels, places, thread_text

PRELUDE = """
#include <math.h>
static __device__ __forceinline__ float sine(float x) { return __sinf(x - 6.2831853f * rintf(x * 0.15915494f)); }
static __device__ __forceinline__ float power_e(float x) { return __expf(fminf(fmaxf(x, -80.f), 80.f)); }
"""


def cuda_source() -> str:
    outputs = [f"o{k}" for k in range(9)]
    lit_declared = ",".join(["const float*P", *(f"float {i}" for i in LIT), *(f"float*{o}" for o in outputs)])
    lit_call = ",".join(["P", *LIT, *outputs])
    point = "const float*P,float x,float y,float z,float*d"
    device = "static __device__"
    return (
        PRELUDE
        + places()
        + "".join(thread_text(kernel) for kernel in kernels())
        + dispatch("dist", "P,x,y,z,d", point, device)
        + dispatch("fine", "P,x,y,z,d", point, device)
        + dispatch("paint", lit_call, lit_declared, device)
        + (Path(__file__).parent / "driver.cu").read_text(encoding="utf-8")
    )
