"""Numbers into words: each score gets a name, a word a colleague would use, and the number itself beside it.

The bands are for reading, not for judging: what may be delivered is decided by the kit's floors in `likeness`, whose
flags arrive here with the picture. Scores without a band are still shown, under their own name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reports.phrases import plain

Tone = Literal["good", "fair", "poor", "quiet"]


@dataclass(frozen=True)
class ScoreLine:
    """One score as shown: `share` is the bar's length in percent, None for a score that has no bar."""

    key: str
    name: str
    word: str
    number: str
    tone: Tone = "quiet"
    share: int | None = None
    hint: str = ""


@dataclass(frozen=True)
class _Band:
    """How one score reads. `steps` are (limit, word, tone) from best to worst; the last word catches the rest."""

    name: str
    steps: tuple[tuple[float, str, Tone], ...]
    rest: tuple[str, Tone]
    higher: bool = True
    show: str = "{:.2f}"
    full: float = 1.0  # the value at which the bar is full
    hint: str = ""


BANDS: Mapping[str, _Band] = {
    "likeness": _Band(
        "Likeness to the selfies",
        ((0.8, "Very close", "good"), (0.65, "Close", "good"), (0.5, "Fair", "fair")),
        ("Weak", "poor"),
        hint="How alike the face is to this person's own photos; 1 is the same photo.",
    ),
    "probability": _Band(
        "Is it the same person?",
        ((0.98, "Yes, clearly", "good"), (0.9, "Very probably", "good"), (0.6, "Uncertain", "fair")),
        ("Doubtful", "poor"),
        show="{:.0%}",
        hint="Calibrated: of pictures scored 90 %, nine in ten show the right person.",
    ),
    "relative": _Band(
        "Against their own selfies",
        ((0.95, "As alike as two selfies", "good"), (0.8, "Nearly so", "good"), (0.6, "Less alike", "fair")),
        ("Much less alike", "poor"),
        show="{:.0%}",
        hint="100 % means: as close to the selfies as the selfies are to one another.",
    ),
    "margin": _Band(
        "Distance to colleagues",
        ((0.2, "Unmistakable", "good"), (0.1, "Clear", "good"), (0.03, "Close", "fair")),
        ("Could be taken for a colleague", "poor"),
        full=0.5,
        hint="How much closer it is to this person than to the most similar colleague.",
    ),
    "background": _Band(
        "Background against the kit",
        ((1.0, "Exact", "good"), (2.5, "Close", "fair")),
        ("Visibly off", "poor"),
        higher=False,
        show="ΔE {:.2f}",
        full=5.0,
    ),
    "halo": _Band(
        "Edge of the cut-out",
        ((3.0, "Clean", "good"), (6.0, "Slight rim", "fair")),
        ("Visible halo", "poor"),
        higher=False,
        show="ΔE {:.1f}",
        full=10.0,
    ),
    "holes": _Band(
        "Gaps in the cut-out",
        ((0.005, "None", "good"), (0.02, "Small", "fair")),
        ("Visible", "poor"),
        higher=False,
        show="{:.1%}",
        full=0.05,
    ),
    "skin": _Band(
        "Skin tone kept",
        ((4.0, "Unchanged", "good"), (8.0, "Slight shift", "fair")),
        ("Shifted", "poor"),
        higher=False,
        show="{:.1f}° ITA",
        full=15.0,
        hint="Difference to this person's own photos. We never lighten or darken anybody.",
    ),
}


def _rank(value: Any) -> ScoreLine:
    first = int(value) == 1
    word = "Nobody is more alike" if first else "Somebody else is more alike"
    return ScoreLine("rank", "Among everyone in this batch", word, f"#{int(value)}", "good" if first else "poor")


def _copied(value: Any) -> ScoreLine:
    word, tone = ("Repeats a selfie", "poor") if value else ("A new picture", "good")
    return ScoreLine("copied", "Not a copy", word, "", tone)  # type: ignore[arg-type]


def _texture(value: Any) -> ScoreLine:
    ratio = float(value)
    word, tone = ("Kept", "good") if 0.6 <= ratio <= 1.4 else ("Smoothed" if ratio < 0.6 else "Roughened", "poor")
    return ScoreLine(
        "texture", "Skin texture", word, f"{ratio:.2f} ×", tone, None,  # type: ignore[arg-type]
        "Fine skin detail against the selfies; 1 is unretouched.",
    )  # fmt: skip


SPECIAL: Mapping[str, Callable[[Any], ScoreLine]] = {"rank": _rank, "copied": _copied, "texture": _texture}
ORDER = ("probability", "likeness", "relative", "rank", "margin", "copied")


def score_lines(scores: Mapping[str, Any]) -> tuple[ScoreLine, ...]:
    """Every score that has words, the questions about the person first."""
    faithfulness = scores.get("faithfulness")
    known = {key: value for key, value in scores.items() if value is not None}
    if isinstance(faithfulness, Mapping) and faithfulness.get("texture_ratio") is not None:
        known["texture"] = faithfulness["texture_ratio"]
    keys = [key for key in ORDER if key in known]
    keys += [key for key in known if key not in ORDER and (key in BANDS or key in SPECIAL)]
    return tuple(_line(key, known[key]) for key in keys)


def raw_lines(scores: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Every number as it was measured, for whoever wants to check the words."""
    flat = {key: value for key, value in scores.items() if key not in {"flags", "measures", "faithfulness"}}
    for nested in ("measures", "faithfulness"):
        if isinstance(scores.get(nested), Mapping):
            flat |= {key: value for key, value in scores[nested].items() if value is not None}
    return tuple((key.replace("_", " "), plain(value)) for key, value in sorted(flat.items()))


def _line(key: str, value: Any) -> ScoreLine:
    if key in SPECIAL:
        return SPECIAL[key](value)
    band = BANDS[key]
    number = float(value)
    word, tone = band.rest
    for limit, name, colour in band.steps:
        if (number >= limit) if band.higher else (abs(number) <= limit):
            word, tone = name, colour
            break
    part = min(1.0, max(0.0, abs(number) / band.full))
    share = round(100 * (part if band.higher else 1 - part))
    return ScoreLine(key, band.name, word, band.show.format(number), tone, share, band.hint)
