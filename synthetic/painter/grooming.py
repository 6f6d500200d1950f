"""Hair styles and beards: which somebody has, and the numbers that shape them."""

from synthetic.painter.dice import Dice

STYLES = (
    "buzzed",
    "short",
    "side parted",
    "swept back",
    "curly",
    "coily",
    "afro",
    "locs",
    "bob",
    "fringe",
    "long",
    "long wavy",
    "tied",
    "bald",
    "balding",
)


def draw_hair(d: Dice, style: str, fem: bool) -> dict[str, float]:
    u = d.between
    recede = -0.10 if fem else u(-0.05, 0.22)
    slope = u(0.10, 0.22) * (1 if d.chance(0.5) else -1)
    h = {
        "h_kind": 0.0,
        "h_top": 0.09,
        "h_side": 0.045,
        "h_hl": u(0.66, 0.76),
        "h_slope": 0.0,
        "h_recede": recede,
        "h_len": 0.0,
        "h_curl": 0.0,
        "h_coil": 0.0,
        "h_rope": 0.0,
        "h_freq": 7.0,
        "h_bun": 0.0,
        "h_off": 0.0,
        "part_x": u(-0.35, 0.35),
        "part_z": u(-0.15, 0.25),
        "h_vol": 0.05,
        "h_nape": -0.50,
    }
    lean = u(-0.25, 0.25)
    # Both tables are drawn whatever the style, so that a seed's other numbers do not depend on it.
    styles = {**_short_styles(d, slope), **_long_styles(d, lean)}
    h.update(styles[style])
    return h


def _short_styles(d: Dice, slope: float) -> dict[str, dict[str, float]]:
    u = d.between
    return {
        "buzzed": {"h_top": 0.022, "h_side": 0.014, "h_vol": 0.0, "h_freq": 25.0, "h_coil": float(d.chance(0.4))},
        "short": {"h_top": u(0.07, 0.13), "h_side": u(0.03, 0.06), "h_vol": u(0.0, 0.08)},
        "side parted": {
            "h_top": u(0.12, 0.18),
            "h_side": u(0.035, 0.06),
            "h_vol": u(0.06, 0.14),
            "h_slope": slope,
            "part_z": 0.35,
            "part_x": 0.42 if slope > 0 else -0.42,
        },
        "swept back": {"h_top": u(0.17, 0.25), "h_side": u(0.025, 0.04), "h_vol": u(0.14, 0.24), "part_z": 0.45},
        "curly": {"h_top": u(0.18, 0.28), "h_side": u(0.08, 0.15), "h_curl": u(0.7, 1.1), "h_vol": 0.1},
        "coily": {"h_top": u(0.10, 0.22), "h_side": u(0.04, 0.10), "h_curl": u(0.40, 0.6), "h_coil": 1.0, "h_vol": 0.0},
        "afro": {"h_top": u(0.35, 0.5), "h_side": u(0.28, 0.42), "h_curl": 0.55, "h_coil": 1.0, "h_vol": 0.0},
    }


def _long_styles(d: Dice, lean: float) -> dict[str, dict[str, float]]:
    u = d.between
    return {
        "locs": {
            "h_kind": 1.0,
            "h_top": 0.11,
            "h_side": u(0.07, 0.11),
            "h_len": u(0.45, 1.05),
            "h_rope": 1.0,
            "h_vol": 0.0,
        },
        "bob": {"h_kind": 1.0, "h_top": 0.13, "h_side": u(0.10, 0.15), "h_len": u(0.42, 0.55), "h_slope": lean},
        "fringe": {
            "h_kind": 1.0,
            "h_top": 0.13,
            "h_side": u(0.09, 0.13),
            "h_len": u(0.40, 0.95),
            "h_hl": u(0.29, 0.36),
            "h_recede": 0.02,
            "h_slope": lean * 0.3,
            "h_vol": 0.06,
            "part_z": 0.1,
        },
        "long": {
            "h_kind": 1.0,
            "h_top": 0.12,
            "h_side": u(0.07, 0.11),
            "h_len": u(0.8, 1.1),
            "h_slope": lean,
            "h_vol": 0.06,
        },
        "long wavy": {
            "h_kind": 1.0,
            "h_top": 0.15,
            "h_side": u(0.12, 0.18),
            "h_len": u(0.75, 1.1),
            "h_curl": u(0.45, 0.8),
            "h_slope": lean,
            "h_vol": 0.10,
        },
        "tied": {"h_top": 0.06, "h_side": 0.045, "h_bun": float(d.chance(0.7)), "part_z": -0.3},
        "bald": {"h_off": 1.0},
        "balding": {
            "h_top": 0.02,
            "h_side": u(0.03, 0.05),
            "h_hl": u(0.98, 1.08),
            "h_recede": u(-0.35, -0.1),
            "h_vol": 0.0,
        },
    }


def draw_style(d: Dice, fem: bool, tone: int, years: int) -> str:
    dark = tone >= 6
    if fem:
        weights = {
            "bob": 0.19,
            "long": 0.18,
            "long wavy": 0.16,
            "tied": 0.14,
            "fringe": 0.11,
            "short": 0.07,
            "side parted": 0.05,
        }
        weights |= {"curly": 0.07, "buzzed": 0.01, "bald": 0.005}
        weights |= {"afro": 0.14, "coily": 0.12, "locs": 0.14} if dark else {"coily": 0.01, "locs": 0.005}
    else:
        weights = {"short": 0.22, "side parted": 0.20, "swept back": 0.14, "buzzed": 0.12, "curly": 0.10, "long": 0.04}
        weights |= {"tied": 0.02, "bald": 0.07, "balding": 0.10 if years > 40 else 0.01}
        weights |= {"coily": 0.20, "afro": 0.06, "locs": 0.10} if dark else {"coily": 0.01, "locs": 0.005}
    return d.pick(weights)


def draw_beard(d: Dice, kind: str) -> dict[str, float]:
    u = d.between
    b = {"b_geo": 0.0, "b_full": 0.0, "b_mous": 0.0, "b_chin": 0.0, "b_stub": 0.0}
    by_kind: dict[str, dict[str, float]] = {
        "clean": {"b_full": 1.0, "b_mous": 0.8, "b_chin": 0.8, "b_stub": u(0.0, 0.10)},
        "stubble": {"b_full": 1.0, "b_mous": 0.9, "b_chin": 1.0, "b_stub": u(0.25, 0.45), "b_geo": 0.003},
        "full": {"b_full": 1.0, "b_mous": 1.0, "b_chin": 1.0, "b_stub": u(0.85, 0.95), "b_geo": u(0.025, 0.05)},
        "long": {"b_full": 1.0, "b_mous": 1.0, "b_chin": 1.0, "b_stub": 0.95, "b_geo": u(0.08, 0.12)},
        "goatee": {"b_mous": 1.0, "b_chin": 1.0, "b_stub": 0.85, "b_geo": 0.03},
        "moustache": {"b_mous": 1.0, "b_stub": 0.92, "b_geo": 0.04},
        "none": {},
    }
    b.update(by_kind[kind])
    return b
