"""Numbers into words: each score gets a name, a word a colleague would use, and the number itself beside it.

There are no limits here. What is wrong with a picture its flags say, and a score is red exactly when one of its flags
is raised: so a page never shows red beside "nothing to object to", and never calls fine what was flagged. Scores
without words are still shown among all numbers, under their own name.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reports.phrases import plain
from tasks.sentences import tell, tell_if_known

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
    """How one score reads; its words are `score.KEY` in the language. `steps` are limits from best to worst, what is
    beyond the last is `rest`; `bad` is said when one of the flags is raised."""

    flags: frozenset[str]
    steps: tuple[float, ...]
    higher: bool = True
    show: str = "{:.2f}"
    rest_tone: Tone = "good"
    full: float = 1.0  # the value at which the bar is full


BANDS: Mapping[str, _Band] = {
    "probability": _Band(
        frozenset({"likeness", "likeness_unsure"}), (0.98, 0.9), show="{:.0%}", rest_tone="fair"
    ),
    "relative": _Band(frozenset({"relative_likeness"}), (0.95,), show="{:.0%}"),
    "margin": _Band(frozenset({"margin", "wrong_person"}), (0.2,), full=0.5),
    "background": _Band(frozenset({"background"}), (1.0,), higher=False, show="ΔE {:.2f}", full=5.0),
    "halo": _Band(frozenset({"halo"}), (), higher=False, show="ΔE {:.1f}", full=10.0),
    "holes": _Band(frozenset({"holes"}), (0.005,), higher=False, show="{:.1%}", full=0.05),
}  # fmt: skip


def _rank(scores: Mapping[str, Any], flags: Collection[str]) -> ScoreLine:
    wrong = "wrong_person" in flags
    word = tell("score.rank.bad" if wrong else "score.rank.rest")
    number = f"#{int(scores['rank'])}"
    return ScoreLine("rank", tell("score.rank.name"), word, number, "poor" if wrong else "good")


def _copied(scores: Mapping[str, Any], flags: Collection[str]) -> ScoreLine:
    name, nearness, number = tell("score.copied.name"), scores.get("nearness"), ""
    if nearness is not None and scores.get("ceiling") is not None:
        number = tell("score.by_chance", number=f"{float(nearness):.2f}", limit=f"{float(scores['ceiling']):.2f}")
    if "copied" in flags:
        return ScoreLine("copied", name, tell("score.copied.bad"), number, "poor")
    if scores["copied"]:  # a real photograph is meant to be one
        return ScoreLine("copied", name, tell("score.copied.own"), number)
    return ScoreLine("copied", name, tell("score.copied.rest"), number, "good")


def _texture(scores: Mapping[str, Any], flags: Collection[str]) -> ScoreLine:
    word, tone = tell("score.texture.rest"), "good"
    for code in ("smoothed", "roughened"):
        if code in flags:
            word, tone = tell(f"score.texture.{code}"), "poor"
    name, hint = tell("score.texture.name"), tell("score.texture.hint")
    return ScoreLine("texture", name, word, f"{float(scores['texture']):.2f} ×", tone, None, hint)  # type: ignore[arg-type]


def _skin(scores: Mapping[str, Any], flags: Collection[str]) -> ScoreLine:
    """By the limit that flags: what the person's own photos differ by, and the kit's floor."""
    name, shift = tell("score.skin.name"), float(scores["skin"])
    found = scores.get("faithfulness")
    found = found if isinstance(found, Mapping) else {}
    number, limit = f"{abs(shift):.1f}° ITA", found.get("skin_limit")
    if limit is None:
        hint = tell("score.skin.why_not_judged")
        return ScoreLine("skin", name, tell("score.skin.not_judged"), number, "quiet", None, hint)
    share = round(100 * max(0.0, 1 - abs(shift) / (2 * float(limit))))
    hint = tell("score.skin.hint")
    number = tell("score.by_chance", number=number, limit=f"{float(limit):.0f}°")
    if "skin_tone" not in flags:
        return ScoreLine("skin", name, tell("score.skin.rest"), number, "good", share, hint)
    signed = float(found.get("skin_shift") or shift)
    word = tell("score.skin.lighter" if signed > 0 else "score.skin.darker")
    return ScoreLine("skin", name, word, number, "poor", share, hint)


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
    word: str
    word, tone = "rest", band.rest_tone
    for step, limit in reversed([*enumerate(band.steps, start=1)]):
        if number >= limit if band.higher else abs(number) <= limit:
            word, tone = f"step_{step}", "good"
    if band.flags & set(flags):
        word, tone = "bad", "poor"
    part = min(1.0, max(0.0, abs(number) / band.full))
    share = round(100 * (part if band.higher else 1 - part))
    shown = band.show.format(min(number, 1.0) if key == "relative" else number)  # nobody is more like than themselves
    name, said, hint = tell(f"score.{key}.name"), tell(f"score.{key}.{word}"), tell_if_known(f"score.{key}.hint", "")
    return ScoreLine(key, name, said, shown, tone, share, hint)
