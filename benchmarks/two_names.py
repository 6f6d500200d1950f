"""One face under two names in a company of drawn people: who is accused falsely, who is found, and what it takes.

    python -m benchmarks.two_names                      # 700 people: simulated vectors, seconds
    python -m benchmarks.two_names --drawn 200          # drawn people and the embedded eyes, about 4 s a person

Three ways of being there twice are planted, twenty each: with a photo of the other folder saved again (smaller, as a
messenger does), with other photos of the same person, and, among simulated vectors, with other photos as an encoder
sees them whose usual cosine is .7 within a person. Drawn people resemble each other far more than real ones do.
"""

import argparse
import time
import tracemalloc
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import paint
from tasks.selfies.same_face import ComparedPhoto, same_faces
from tasks.vision.faces import Eyes
from tasks.vision.images import encode, read_picture
from tasks.vision.open_eyes import open_eyes
from tasks.vision.pixels import Picture
from tasks.vision.quality import difference_hashes

FIRST_SEED = 930_000  # far from every seed that anything is trained on
SIDE = 320  # px
PLANTED = 20
Folders = dict[str, Sequence[ComparedPhoto]]


def simulated(people: int, photos: int, alike: float = 0.7, seed: int = 1) -> Folders:
    """People at random places of a sphere of 128 dimensions; `alike`: the usual cosine of two photos of one person."""
    random = np.random.default_rng(seed)

    def unit(vector: np.ndarray) -> np.ndarray:
        return np.asarray(vector / np.linalg.norm(vector), np.float32)

    found: Folders = {}
    for person in range(people):
        centre = unit(random.normal(size=128))
        noise = np.sqrt(1 / alike - 1)
        vectors = [unit(centre + noise * unit(random.normal(size=128))) for _ in range(photos)]
        hashes = [int(random.integers(0, 2**63)) for _ in range(photos)]
        found[f"p{person}"] = [
            ComparedPhoto(vector, f"{person}/{i}", shape, ~shape & (2**64 - 1))
            for i, (vector, shape) in enumerate(zip(vectors, hashes, strict=True))
        ]
    return found


def drawn(people: int, photos: int, eyes: Eyes) -> Folders:
    """People who do not exist, seen by these eyes; photos without a face left out."""
    found: Folders = {}
    for person in range(people):
        shown = [shown_in(one, eyes, f"{person}/{i}") for i, one in enumerate(selfies(person, photos))]
        found[f"p{person}"] = [one for one in shown if one is not None]
        if person % 20 == 19:
            print(f"  {person + 1} of {people} people drawn", flush=True)
    return found


def selfies(person: int, photos: int, first: int = 0) -> list[Picture]:
    identity = draw_identity(FIRST_SEED + person)
    pictures = []
    for number in range(first, first + photos):
        seed = 64 * (FIRST_SEED + person) + number
        frontal = float(np.random.default_rng((seed, 3)).uniform(0.35, 0.9))
        shot = draw_capture(seed, identity, "selfie", CaptureWish(frontal=frontal))
        pictures.append(paint(identity, shot, SIDE, 1.0).picture)
    return pictures


def shown_in(picture: Picture, eyes: Eyes, digest: str) -> ComparedPhoto | None:
    faces = [face for face in eyes.finder.find(picture) if face.score >= eyes.limits.score]
    if not faces:
        return None
    return ComparedPhoto(eyes.embedder.embed(picture, faces[0]), digest, *difference_hashes(picture))


def saved_again(picture: Picture, eyes: Eyes, digest: str) -> ComparedPhoto | None:
    """As a messenger sends it on: at three quarters of its size, in a poor JPEG."""
    import cv2

    side = round(SIDE * 0.75)
    smaller = np.ascontiguousarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA))
    return shown_in(read_picture(encode(smaller, "jpeg", 70)).picture, eyes, digest)


def report(
    name: str, folders: Mapping[str, Sequence[ComparedPhoto]], planted: set[tuple[str, str]], eyes: Eyes
) -> None:
    tracemalloc.start()
    began = time.perf_counter()
    alike = same_faces(folders, eyes.thresholds, eyes.limits.duplicate_bits)
    seconds, (_, most) = time.perf_counter() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    pairs = {(one.first, one.second) for one in alike}
    found, false = len(pairs & planted), len(pairs - planted)
    shown = f"{found} of {len(planted)}" if planted else "-"
    print(f"{name:54} {len(folders):>7} {shown:>9} {false:>6} {seconds:>7.1f} {most / 2**20:>8.0f}", flush=True)


def halves(folders: Folders) -> tuple[Folders, set[tuple[str, str]]]:
    """Twenty lie under a second name with the other half of their photos."""
    found = dict(folders)
    for person in range(PLANTED):
        photos = folders[f"p{person}"]
        found[f"p{person}"], found[f"q{person}"] = photos[: len(photos) // 2], photos[len(photos) // 2 :]
    return found, {(f"p{person}", f"q{person}") for person in range(PLANTED)}


def copies(folders: Folders, eyes: Eyes) -> tuple[Folders, set[tuple[str, str]]]:
    """Twenty hold, beside their own photos, one of the person after them, saved again."""
    found = dict(folders)
    planted = set()
    for person in range(0, 2 * PLANTED, 2):
        copy = saved_again(selfies(person + 1, 1)[0], eyes, f"copy {person}")
        if copy is not None:
            found[f"p{person}"] = [*folders[f"p{person}"], copy]
            planted.add((f"p{person}", f"p{person + 1}"))
    return found, planted


def main(arguments: list[str] | None = None) -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=700, help="simulated")
    parser.add_argument("--drawn", type=int, default=0, help="drawn, with the embedded eyes")
    parser.add_argument("--photos", type=int, default=8)
    chosen = parser.parse_args(arguments)
    eyes = open_eyes("embedded")
    if chosen.drawn:
        company = drawn(chosen.drawn, chosen.photos, eyes)
    print(f"{'':54} {'people':>7} {'found':>9} {'false':>6} {'s':>7} {'MiB':>8}")
    low = replace(eyes, thresholds=replace(eyes.thresholds, twin_folder=0.3))  # the company's own limit alone decides
    clean = simulated(chosen.people, chosen.photos)
    report("simulated, nobody twice", clean, set(), low)
    report("simulated, other photos of the same person", *halves(clean), low)
    report("simulated, nobody twice, 2 photos each", simulated(20_000, 2), set(), low)
    if chosen.drawn:
        report("drawn, nobody twice", company, set(), eyes)
        report("drawn, a photo of the other folder saved again", *copies(company, eyes), eyes)
        report("drawn, other photos of the same person", *halves(company), eyes)


if __name__ == "__main__":
    main()
