"""Whether intake says of the right photographs that they end before a kit's frame does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from tasks.headshots.framing import place_head
from tasks.headshots.kit import BrandKit
from tasks.headshots.look import find_person
from tasks.headshots.studio import DRAWN_IN
from tasks.selfies.size import LEAST_ROOM
from tasks.vision.faces import Eyes, Face
from tasks.vision.images import Picture
from tasks.vision.matting import touching_sides
from tasks.vision.rating import read_around


def room_table(shots: Sequence[tuple[Picture, Face]], kits: Sequence[BrandKit], eyes: Eyes) -> None:
    """A row a kit: of the photographs that the frame has to be drawn in for, how many are told at intake, and of those
    that it has not, how many are told as well."""
    print(f"\n{'kit':<11}{'drawn in, told at intake':<26}not drawn in, told")
    for kit in kits:
        frame, asked = (kit.framing.width, kit.framing.height), asdict(kit.framing.around)
        counts = {True: [0, 0], False: [0, 0]}
        for picture, face in shots:
            size = (picture.shape[1], picture.shape[0])
            sides = touching_sides(np.asarray(np.mean(find_person(picture, eyes, drawn=False), axis=0), np.float32))
            drawn_in = place_head(face.landmarks, kit.framing, sides, size, frame).zoom > DRAWN_IN
            there = asdict(read_around(picture, face, eyes.matter))
            counts[drawn_in][0] += min(there[side] / share for side, share in asked.items()) < LEAST_ROOM
            counts[drawn_in][1] += 1
        cells = [f"{told} of {number}" for told, number in (counts[True], counts[False])]
        print(f"{kit.name:<11}{cells[0]:<26}{cells[1]}", flush=True)
