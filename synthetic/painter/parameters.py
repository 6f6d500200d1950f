"""The numbers that describe one picture, in the one order that every kernel, dataset and test agrees on.

`IDENTITY` says who somebody is and never changes between two pictures of them; `CAPTURE` says how the picture was
taken. The compiled kernels read both from one flat row. Appending is safe; reordering makes old datasets unreadable,
so `LAYOUT` is bumped when that happens. Lengths are in units of 10 cm, colours are linear light.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

LAYOUT = 1

IDENTITY: tuple[str, ...] = tuple(
    """hw fl jaw_w jaw_y jaw_r chin_w chin_y chin_z cheek cheek_y brow_ridge nose_w nose_l nose_p nose_b nose_tip
    ex ew eo etilt ez er brow_y brow_t brow_arch brow_len brow_tilt mouth_w lip_u lip_l mouth_y ear_s ear_out neck_w
    sh_w crown fold skr skg skb blush lipr lipg lipb irr irg irb hr hg hb freck lash grey age mole_x mole_y mole
    h_kind h_top h_side h_hl h_slope h_recede h_len h_curl h_coil h_rope h_freq h_bun h_off part_x part_z h_vol h_nape
    b_geo b_full b_mous b_chin b_stub g_on g_w g_h g_round gr gg gb aid aidr aidg aidb ring_on seed
    cover vr vg vb""".split()  # noqa: SIM905 (a table is easier to read than a list of a hundred strings)
)
CAPTURE: tuple[str, ...] = tuple(
    """r00 r01 r02 r10 r11 r12 r20 r21 r22 byaw smile mopen brow_up squint gazex gazey
    wear c_open tie c1r c1g c1b c2r c2g c2b c3r c3g c3b shades
    klx kly klz kr kg kb flx fly flz fr fg fb rlx rly rlz rr rg rb ar ag ab gndr gndg gndb""".split()  # noqa: SIM905
)
NAMES = IDENTITY + CAPTURE
INDEX = {name: place for place, name in enumerate(NAMES)}

# Codes of the two choices for which a different kernel is compiled (parameters `wear`, `h_kind` and `cover`).
WEAR = ("crew", "vneck", "suit", "shirt", "turtleneck", "hoodie", "blazer")
HAIR_KINDS = ("cap", "long")
COVERS = ("none", "hijab", "turban")


def row(identity: Mapping[str, float], capture: Mapping[str, float]) -> npt.NDArray[np.float32]:
    """The flat row (len(NAMES),) for the kernels. A name that is missing is a programming error: KeyError."""
    values = [identity[name] for name in IDENTITY] + [capture[name] for name in CAPTURE]
    return np.asarray(values, dtype=np.float32)
