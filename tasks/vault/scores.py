"""What was measured about one picture, in the one form in which records keep it.

Each part is written by the step that measured it, in that step's own JSON: the studio's measures first, then likeness,
faithfulness, and what was kept of the person. `flags` are all floors that the picture did not reach.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

Part = Mapping[str, Any]


@dataclass(frozen=True)
class Scores:
    """One picture's numbers. A part is None until its step has looked."""

    measures: Part | None = None  # headshots.measure.PictureMeasures
    source_inter_eye: float | None = None  # px between the eyes before finishing
    likeness: Part | None = None  # likeness.score.LikenessScore, without whom else it is like
    faithfulness: Part | None = None  # likeness.faithful.Faithfulness
    kept: Part | None = None  # likeness.kept.KeptLooks
    judged_on: str | None = None  # digest of all that the verdict rests on (likeness.grounds): else it is given anew
    photo_signed_by: str | None = None  # faithful lane: who had signed the photo (disclosure.of_photos)
    flags: tuple[Part, ...] = ()  # headshots.studio.Flag: code, measured, limit, sentence

    @property
    def judged(self) -> bool:
        """Whether likeness was looked at; without it no picture is proposed."""
        return self.likeness is not None

    def as_json(self) -> dict[str, Any]:
        """For the record; parts that nobody measured are left out."""
        kept = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in {**kept, "flags": list(self.flags)}.items() if value is not None}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Scores":
        """Read back from a record; what a newer version may have added is passed over."""
        known = {field.name for field in fields(cls)}
        kept = {name: value for name, value in values.items() if name in known}
        return cls(**{**kept, "flags": tuple(values.get("flags", ()))})

    def shown(self) -> dict[str, Any]:
        """The numbers a reviewer reads, side by side under the names of the report, and the parts below them."""
        measures, faithful = self.measures or {}, self.faithfulness or {}
        numbers = {**(self.likeness or {}), **{name: measures.get(name) for name in ("background", "halo", "holes")}}
        skin = faithful.get("skin_shift")
        shown = {**numbers, "skin": None if skin is None else abs(skin)} if self.judged else {}
        return {**shown, **{k: v for k, v in self.as_json().items() if k not in ("likeness", "judged_on")}}
