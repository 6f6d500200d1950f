"""Numbers into words: each score gets a name, a word a colleague would use, and the number itself beside it.

There are no limits here. What is wrong with a picture its flags say, and a score is red exactly when one of its flags
is raised: so a page never shows red beside "nothing to object to", and never calls fine what was flagged. Scores
without words are still shown among all numbers, under their own name.
"""

from collections.abc import Callable, Collection, Mapping
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
    """How one score reads. `steps` are (limit, word) from best to worst, the last one catches the rest; `bad` is said
    when one of the flags is raised."""

    name: str
    flags: frozenset[str]
    steps: tuple[tuple[float, str], ...]
    rest: str
    bad: str
    higher: bool = True
    show: str = "{:.2f}"
    rest_tone: Tone = "good"
    full: float = 1.0  # the value at which the bar is full
    hint: str = ""


BANDS: Mapping[str, _Band] = {
    "probability": _Band(
        "Is it the same person?",
        frozenset({"likeness", "likeness_unsure"}),
        ((0.98, "Yes, clearly"), (0.9, "Very probably")),
        "Probably",
        "Uncertain",
        show="{:.0%}",
        rest_tone="fair",
        hint="Calibrated: of pictures scored 90 %, nine in ten show the right person.",
    ),
    "relative": _Band(
        "Against their own selfies",
        frozenset({"relative_likeness"}),
        ((0.95, "As alike as two selfies"),),
        "Nearly so",
        "Less alike",
        show="{:.0%}",
        hint="100 % means: as close to the selfies as the selfies are to one another.",
    ),
    "margin": _Band(
        "Distance to colleagues",
        frozenset({"margin", "wrong_person"}),
        ((0.2, "Unmistakable"),),
        "Clear",
        "Could be taken for a colleague",
        full=0.5,
        hint="How much closer it is to this person than to the most similar colleague.",
    ),
    "background": _Band(
        "Background against the kit",
        frozenset({"background"}),
        ((1.0, "Exact"),),
        "As the kit allows",
        "Visibly off",
        higher=False,
        show="ΔE {:.2f}",
        full=5.0,
    ),
    "halo": _Band(
        "Edge of the cut-out",
        frozenset({"halo"}),
        (),
        "Clean",
        "A rim shows",
        higher=False,
        show="ΔE {:.1f}",
        full=10.0,
    ),
    "holes": _Band(
        "Gaps in the cut-out",
        frozenset({"holes"}),
        ((0.005, "None"),),
        "As the kit allows",
        "Visible",
        higher=False,
        show="{:.1%}",
        full=0.05,
    ),
}


def _rank(scores: Mapping[str, Any], flags: Collection[str]) -> ScoreLine:
    wrong = "wrong_person" in flags
    word = "Somebody else is more alike" if wrong else "Nobody is more alike"
    number = f"#{int(scores['rank'])}"
    return ScoreLine("rank", "Among everyone in this batch", word, number, "poor" if wrong else "good")


def _copied(scores: Mapping[str, Any], flags: Collection[str]) -> ScoreLine:
    nearness, number = scores.get("nearness"), ""
    if nearness is not None and scores.get("ceiling") is not None:
        number = f"{float(nearness):.2f}, up to {float(scores['ceiling']):.2f} is chance"
    if "copied" in flags:
        return ScoreLine("copied", "Not a copy", "Repeats a selfie", number, "poor")
    if scores["copied"]:  # a real photograph is meant to be one
        return ScoreLine("copied", "Not a copy", "One of their own photos", number)
    return ScoreLine("copied", "Not a copy", "A new picture", number, "good")


def _texture(scores: Mapping[str, Any], flags: Collection[str]) -> ScoreLine:
    word, tone = "Kept", "good"
    for code, said in (("smoothed", "Smoothed"), ("roughened", "Roughened")):
        if code in flags:
            word, tone = said, "poor"
    hint = "Fine skin detail against the selfies; 1 is unretouched."
    return ScoreLine("texture", "Skin texture", word, f"{float(scores['texture']):.2f} ×", tone, None, hint)  # type: ignore[arg-type]


def _skin(scores: Mapping[str, Any], flags: Collection[str]) -> ScoreLine:
    """By the limit that flags: what the person's own photos differ by, and the kit's floor."""
    name, shift = "Skin tone kept", float(scores["skin"])
    found = scores.get("faithfulness")
    found = found if isinstance(found, Mapping) else {}
    number, limit = f"{abs(shift):.1f}° ITA", found.get("skin_limit")
    if limit is None:
        hint = "Under five photos, or photographs under chance light: nobody can tell it from light. Compare by eye."
        return ScoreLine("skin", name, "Not judged", number, "quiet", None, hint)
    share = round(100 * max(0.0, 1 - abs(shift) / (2 * float(limit))))
    hint = "Difference to this person's own photos. We never lighten or darken anybody."
    number = f"{number}, up to {float(limit):.0f}° is chance"
    if "skin_tone" not in flags:
        return ScoreLine("skin", name, "Kept", number, "good", share, hint)
    signed = float(found.get("skin_shift") or shift)
    return ScoreLine("skin", name, "Lighter" if signed > 0 else "Darker", number, "poor", share, hint)


SPECIAL: Mapping[str, Callable[[Mapping[str, Any], Collection[str]], ScoreLine]] = {
    "rank": _rank,
    "copied": _copied,
    "texture": _texture,
    "skin": _skin,
}
ORDER = ("probability", "relative", "rank", "margin", "copied")


def score_lines(scores: Mapping[str, Any], flags: Collection[str]) -> tuple[ScoreLine, ...]:
    """Every score that has words, the questions about the person first; red is what `flags` of this picture say."""
    faithfulness = scores.get("faithfulness")
    known = {key: value for key, value in scores.items() if value is not None}
    if isinstance(faithfulness, Mapping) and faithfulness.get("texture_ratio") is not None:
        known["texture"] = faithfulness["texture_ratio"]
    keys = [key for key in ORDER if key in known]
    keys += [key for key in known if key not in ORDER and (key in BANDS or key in SPECIAL)]
    return tuple(SPECIAL[key](known, flags) if key in SPECIAL else _line(key, known[key], flags) for key in keys)


def raw_lines(scores: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Every number as it was measured, for whoever wants to check the words."""
    flat = {key: value for key, value in scores.items() if key not in {"flags", "measures", "faithfulness"}}
    for nested in ("measures", "faithfulness"):
        if isinstance(scores.get(nested), Mapping):
            flat |= {key: value for key, value in scores[nested].items() if value is not None}
    return tuple((key.replace("_", " "), plain(value)) for key, value in sorted(flat.items()))


def _line(key: str, value: Any, flags: Collection[str]) -> ScoreLine:
    band = BANDS[key]
    number = float(value)
    word, tone = band.rest, band.rest_tone
    for limit, said in reversed(band.steps):
        if number >= limit if band.higher else abs(number) <= limit:
            word, tone = said, "good"
    if band.flags & set(flags):
        word, tone = band.bad, "poor"
    part = min(1.0, max(0.0, abs(number) / band.full))
    share = round(100 * (part if band.higher else 1 - part))
    shown = band.show.format(min(number, 1.0) if key == "relative" else number)  # nobody is more like than themselves
    return ScoreLine(key, band.name, word, shown, tone, share, band.hint)
