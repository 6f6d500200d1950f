"""The forms' drop-downs in Prefect: kits by their title, batches by kit, day and count, kept to what there is.

Prefect reads a form's choices from the schema that was registered. Whenever a kit or a batch appears, changes or is put
away, the schemas are written anew. Nobody's name is in them: `tasks.headshots.form_words` says what is.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from reports.desk.runs import DEPLOYMENTS
from tasks.headshots.form_words import LAST_REVIEWED, NUMBER, batch_labels, kit_labels

EVERY_S = 5.0  # a look costs a few small queries; whoever added a kit finds it in the form by the time they are there
KIT = "make"  # whose form asks for a kit
BATCH: Mapping[str, tuple[str, ...]] = {"reshoot": (), "deliver": (LAST_REVIEWED,)}  # what stands above the batches
OLD = ("Make headshots", "Reshoot", "Deliver", "Forget a person", "Retention (daily)")  # up to 0.1

logger = logging.getLogger(__name__)


def retire_old_forms(api: httpx.Client) -> None:
    """Up to 0.1 the forms stood under names without the day's order; both at once would be two ways to do one thing."""
    found = api.post("/deployments/filter", json={"deployments": {"name": {"any_": list(OLD)}}})
    found.raise_for_status()
    for deployment in found.json():
        api.delete(f"/deployments/{deployment['id']}").raise_for_status()


def chosen_from(schema: Mapping[str, Any], name: str, choices: Sequence[str]) -> dict[str, Any]:
    """The form with these choices for one field; without any, a field that takes a batch's number and nothing else."""
    kept = {key: value for key, value in schema["properties"][name].items() if key not in ("pattern", "enum")}
    may_be_left = name not in schema.get("required", ())
    if choices:
        kept["enum"] = list(choices)
    else:
        kept["pattern"] = f"^(?:{'|' if may_be_left else ''}{NUMBER})$"
    if may_be_left and kept.get("default") not in choices:
        kept["default"] = choices[0] if choices else ""
    return {**schema, "properties": {**schema["properties"], name: kept}}


@dataclass
class FormsGuard:
    """Looks every few seconds, from the control machine, and writes what has changed."""

    api: httpx.Client
    records: sa.Engine
    kits: Path
    zone: str
    next_at: float = 0.0
    _written: dict[str, list[str]] = field(default_factory=dict)
    _stamp: Any = None
    _labels: dict[str, str] = field(default_factory=dict)

    def tend(self, now: float) -> None:
        """A server or a database that is away for a while ends nothing: the next look writes it."""
        if now < self.next_at:
            return
        self.next_at = now + EVERY_S
        try:
            kits = self._kits()
            batches = batch_labels(self.records, kits, self.zone)
            if kits:
                self._write(KIT, "kit", list(kits))
            for form, first in BATCH.items():
                self._write(form, "batch", [*first, *batches] if batches else [])
        except (httpx.HTTPError, sa.exc.SQLAlchemyError, OSError) as away:
            logger.info("the forms' drop-downs could not be written (%s)", type(away).__name__)

    def _kits(self) -> dict[str, str]:
        """What kits are called; read again only when one of their files has changed."""
        stamp = sorted((str(path), path.stat().st_mtime_ns) for path in self.kits.glob("*/*") if path.is_file())
        if stamp != self._stamp:
            self._labels, self._stamp = kit_labels(self.kits), stamp
        return self._labels

    def _write(self, form: str, name: str, choices: list[str]) -> None:
        if self._written.get(form) == choices:
            return
        found = self.api.get(f"/deployments/name/{DEPLOYMENTS[form]}")
        found.raise_for_status()
        schema = chosen_from(found.json()["parameter_openapi_schema"], name, choices)
        changed = {"parameter_openapi_schema": schema}
        self.api.patch(f"/deployments/{found.json()['id']}", json=changed).raise_for_status()
        self._written[form] = choices
