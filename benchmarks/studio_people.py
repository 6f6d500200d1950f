"""Whose pictures the studio's benchmark looks at: painted people, real portraits, or a finished batch.

Painted selfies and studio pictures are drawn from seeds far from every one that anything was trained on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import paint
from tasks.adapters.portraits import open_selfies
from tasks.headshots.faithful import order_photos
from tasks.headshots.finish import CannotFinish, Finished
from tasks.headshots.kit import BrandKit, load_kit
from tasks.headshots.measure import PictureMeasures, bare_skin, measure_picture, skin_colour
from tasks.headshots.shots import background_word, light_words
from tasks.headshots.studio import finish_candidate, studio_flags
from tasks.likeness.choose import choose
from tasks.likeness.judge import Judged, ToJudge, judge_candidate
from tasks.likeness.judging import first_choice
from tasks.likeness.reference import PersonReference, find_faces, read_reference
from tasks.vault.batches import load_batch, seats_of
from tasks.vault.settings import Settings, load_settings
from tasks.vault.store import open_vault
from tasks.vision.colour import ita
from tasks.vision.faces import Eyes, Face
from tasks.vision.images import Picture, read_picture

FIRST_SEED = 910_000  # far from every seed that anything is trained on
SELFIE_SIZE = 384  # px
SAME = 3.0  # levels on average: more than compression does to a recorded picture


@dataclass(frozen=True)
class Shown:
    """One finished picture of one person, as it would be delivered."""

    employee_id: str
    picture: Picture
    source_inter_eye: float
    lane: str = "generated"
    zoom: float = 1.0
    measures: PictureMeasures | None = None  # where finishing has measured these very pixels already
    source_ita: float | None = None  # degrees, of the skin before finishing
    source: Picture | None = None  # what it was made of, with how it was made
    made: Finished | None = None


@dataclass(frozen=True)
class Company:
    """Everybody's selfies, read."""

    references: Mapping[str, PersonReference]

    @property
    def vectors(self) -> dict[str, np.ndarray]:
        """One vector per person."""
        return {one: reference.vector for one, reference in self.references.items()}


def painted_company(people: int, selfies: int, eyes: Eyes) -> Company:
    """Selfies of people who do not exist, read as intake would."""
    references = {}
    for number in range(people):
        person = draw_identity(FIRST_SEED + number)
        pictures = [
            paint(person, draw_capture(100 * number + shot, person, "selfie"), SELFIE_SIZE, 1.0).picture
            for shot in range(selfies)
        ]
        if found := find_faces(pictures, eyes):
            references[f"p{number:03d}"] = read_reference(found, eyes)
    return Company(references)


def painted_team(company: Company, kit: BrandKit, eyes: Eyes, render: int, size: int) -> list[Shown]:
    """One studio picture of everybody, painted as the kit's prompt says and finished under the kit."""
    team = []
    for employee_id in company.references:
        number = int(employee_id[1:])
        person = draw_identity(FIRST_SEED + number)
        wish = CaptureWish(background=background_word(kit, small=True), light=light_words(kit, small=True), frontal=0.6)
        shot = paint(person, draw_capture(7_000 + number, person, "studio", wish), render, 2.0, "aligned")
        try:
            finished = finish_candidate(shot.picture, kit, eyes, size).finished
        except CannotFinish as refused:
            print(f"  {employee_id}: {refused.code}")
            continue
        drawn = Face(shot.face_box, shot.landmarks, 1.0)
        skin = float(ita(skin_colour(shot.picture, bare_skin(shot.picture, drawn))))
        found = finished.measures
        inter_eye = finished.source_inter_eye
        team.append(
            Shown(
                employee_id, finished.picture, inter_eye, "generated", found.zoom, found, skin, shot.picture, finished
            )
        )  # fmt: skip
    return team


def photographed_team(folder: Path, kit: BrandKit, eyes: Eyes, size: int) -> tuple[Company, list[Shown]]:
    """Real portraits through the faithful lane; the file's name up to "_" is the person.

    Of several photographs of a person the product's own choice is shown, out of as many as the kit takes.
    """
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".heic"})
    people: dict[str, list[Picture]] = {}
    for file in files:
        people.setdefault(file.stem.split("_")[0], []).append(read_picture(file.read_bytes()).picture)
    references = {
        employee_id: read_reference(found, eyes)
        for employee_id, pictures in people.items()
        if (found := find_faces(pictures, eyes))
    }
    company = Company(references)
    team = []
    for employee_id in references:
        taken = [people[employee_id][at] for at in order_photos(people[employee_id], eyes)[: kit.candidates.per_person]]
        if shown := _chosen(employee_id, taken, company, kit, eyes, size):
            team.append(shown)
    return company, team


def _chosen(
    employee_id: str, photos: Sequence[Picture], company: Company, kit: BrandKit, eyes: Eyes, size: int
) -> Shown | None:
    """The photograph that the product would show first, finished; None where nothing can be made of any."""
    finished: dict[str, Shown] = {}
    judged = []
    for place, photo in enumerate(photos):
        try:
            made = finish_candidate(photo, kit, eyes, size, lane="faithful").finished
        except CannotFinish as refused:
            print(f"  {employee_id}: {refused.code}")
            continue
        found, inter_eye = made.measures, made.source_inter_eye
        shown = Shown(employee_id, made.picture, inter_eye, "faithful", found.zoom, found, None, photo, made)
        finished[str(place)] = shown
        judged.append(replace(judge_shown(shown, company, kit, eyes).candidate, key=str(place)))
    return finished[choose(judged)[0].key] if judged else None


def recorded_team(batch: str, eyes: Eyes, home: Path | None) -> tuple[BrandKit, Company, list[Shown]]:
    """The first choices of a finished batch, through permits like everything else."""
    settings = load_settings() if home is None else Settings(home=home)
    with open_vault(settings) as vault:
        kit = load_kit(load_batch(vault, batch).kit, settings.kits)
        known = {}
        for seat in seats_of(vault, batch, states=("done", "flagged")):
            permit = vault.permit(seat.employee_id, now=datetime.now(UTC))
            if selfies := open_selfies(vault, permit, eyes):
                known[seat.employee_id] = read_reference([(one.picture, one.face) for one in selfies], eyes)
        team = []
        for employee_id in known:
            permit = vault.permit(employee_id, now=datetime.now(UTC))
            row = first_choice(vault, batch, employee_id, kit)
            if row is not None and row.finished_key:
                picture = read_picture(vault.read(permit, row.finished_key)).picture
                inter_eye = float(row.scores["source_inter_eye"])
                source = read_picture(vault.read(permit, row.original_key)).picture
                made = _made_alike(source, picture, kit, eyes, row.lane)
                team.append(Shown(employee_id, picture, inter_eye, row.lane, source=source, made=made))
        return kit, Company(known), team


def _made_alike(source: Picture, picture: Picture, kit: BrandKit, eyes: Eyes, lane: str) -> Finished | None:
    """How a recorded picture was made, as far as today's renderer still makes the same one."""
    try:
        made = finish_candidate(source, kit, eyes, lane="faithful" if lane == "faithful" else "generated").finished
    except CannotFinish:
        return None
    same = made.picture.shape == picture.shape and np.abs(made.picture.astype(int) - picture).mean() < SAME
    return made if same else None


def judge_shown(shown: Shown, company: Company, kit: BrandKit, eyes: Eyes) -> Judged:
    """Measure and judge a finished picture from its pixels."""
    measures = shown.measures or measure_picture(shown.picture, kit, eyes, texture_inter_eye=shown.source_inter_eye)
    flags = tuple(studio_flags(measures, kit))
    one = ToJudge(shown.employee_id, shown.picture, measures, flags, shown.lane, shown.source_inter_eye)
    return judge_candidate(one, company.references[shown.employee_id], company.vectors, shown.employee_id, kit, eyes)
