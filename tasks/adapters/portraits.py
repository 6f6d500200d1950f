"""A person's accepted selfies as aligned portraits: in memory only, for as long as a step needs them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from tasks.vault.consent import Permit
from tasks.vault.records import Selfie
from tasks.vault.store import Vault
from tasks.vision.faces import Eyes, Face
from tasks.vision.images import Picture, read_picture
from tasks.vision.portrait import align_portrait


@dataclass(frozen=True)
class Likeness:
    """One accepted selfie with the person's face in it."""

    digest: str
    picture: Picture
    face: Face


def accepted_selfies(vault: Vault, employee_id: str) -> list[Selfie]:
    """The rows of a person's accepted selfies that are in use, best first."""
    query = select(Selfie).where(Selfie.employee_id == employee_id, col(Selfie.accepted))
    query = query.where(col(Selfie.replaced_at).is_(None)).order_by(col(Selfie.order))
    with vault.reading() as session:
        return list(session.exec(query.order_by(col(Selfie.digest))))


def open_selfies(vault: Vault, permit: Permit, eyes: Eyes) -> list[Likeness]:
    """Opens a person's accepted selfies and finds the face in each; one without a face is left out."""
    opened = []
    for row in accepted_selfies(vault, permit.employee_id):
        picture = read_picture(vault.read(permit, row.blob_key)).picture
        faces = eyes.finder.find(picture)
        if faces:
            opened.append(Likeness(row.digest, picture, faces[0]))
    return opened


def portraits(selfies: Sequence[Likeness], size: int) -> list[Picture]:
    """The selfies in the frame that bases are trained on, size×size px."""
    return [align_portrait(selfie.picture, selfie.face.landmarks, size)[0] for selfie in selfies]
