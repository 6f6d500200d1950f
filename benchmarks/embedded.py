"""How good the embedded base is, in one table, on drawn people that nothing was trained on.

    python -m benchmarks.embedded --people 20 --sheets base_models/embedded/sheets
    python -m benchmarks.embedded --people 2 --quality draft        (a couple of minutes)
    python -m benchmarks.embedded --base embedded other --people 8  (two cards beside each other, one column each)

All bases are measured at the size of the largest: one that draws smaller is enlarged (bicubic).
Autoencoder: PSNR of held-out portraits, whole and inside the eye boxes, and what is left of the fine structure of hair
and cloth. Words: is the background the one asked for.
Identity: each person is learned from 8 selfies by the product's own cohort engine, drawn 4 times in the studio, and
sought among the centroids of everybody's true pictures, by the judge of the embedded eyes, which never saw these
people; beside it the same prompts and noise without adapters. Skin: how much lighter (+) or darker each third of the
people comes out than the painter paints them under that light, in degrees of ITA, and beside it what the autoencoder
alone does to those paintings, and how the same people look in the selfies they were learned from. Every figure comes
from drawn people and says nothing about real ones: the eyes saw the same painter's work, which flatters them.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch.nn.functional import avg_pool2d

from benchmarks.embedded_skin import skin_lines
from synthetic.dataset import ROUGH, SEEDS
from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import Painting, paint
from synthetic.painter.palette import BACKDROP
from synthetic.training.figures import eye_boxes, peak_signal
from synthetic.training.shards import CELL
from synthetic.training.sheets import PROMPTS, save_sheet
from synthetic.training.texture import kept_structure
from tasks.adapters.examples import LearningPerson
from tasks.adapters.lessons import PORTRAIT, cut_selfie
from tasks.adapters.plan import plan_training
from tasks.adapters.portraits import Likeness
from tasks.adapters.training import train_cohort
from tasks.headshots.render import RenderJob, plan_render, render
from tasks.vision.colour import delta_e, to_lab
from tasks.vision.diffusion import FrozenBase, open_base, pixels
from tasks.vision.diffusion_card import load_base_card
from tasks.vision.faces import Eyes, EyesMissing, Face
from tasks.vision.images import Picture
from tasks.vision.open_eyes import open_eyes
from tasks.vision.portrait import PORTRAIT_TEMPLATE

SELFIES, RENDERS, TRUE = 8, 4, 6
STUDIO = ("light grey", "blue", "white", "teal")  # one render each
LIGHT = "softbox light"
Line = tuple[str, str, str]  # what, figure, target
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Subject:
    """One unseen person: selfies to learn from, studio pictures to compare with."""

    seed: int
    selfies: list[Painting]
    studio: list[Painting]


def draw_subject(seed: int, size: int) -> Subject:
    """The benchmark's people come from seeds that no training set uses."""
    person = draw_identity(seed)

    def shots(kind: str, first: int, count: int) -> list[Painting]:
        return [
            paint(
                person,
                draw_capture(seed * 64 + first + i, person, kind, CaptureWish(frontal=0.7)),
                size,
                1.5,
                "aligned",
            )
            for i in range(count)
        ]

    return Subject(seed, shots("selfie", 0, SELFIES), shots("studio", 32, TRUE))


def at_side(picture: Picture, side: int) -> Picture:
    """Reduced by means of pixels, or enlarged smoothly."""
    how = Image.Resampling.BOX if picture.shape[0] > side else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(picture).resize((side, side), how))


def autoencoder_lines(base: FrozenBase, subjects: Sequence[Subject]) -> list[Line]:
    """Through the latents and back."""
    shots = [shot for s in subjects for shot in (*s.selfies[:2], *s.studio[:2])]
    true, side = pixels([shot.picture for shot in shots]), shots[0].picture.shape[0]
    made = pixels(through_autoencoder(base, [shot.picture for shot in shots], side))
    boxes = eye_boxes(torch.from_numpy(np.stack([shot.landmarks for shot in shots])), side)
    rough = np.stack([sum(shot.masks[name] for name in ROUGH) for shot in shots])
    cells = avg_pool2d(torch.from_numpy(rough)[:, None].float(), CELL)
    return [
        ("autoencoder, whole picture", f"{peak_signal(made, true):.1f} dB", "31"),
        ("autoencoder, eye boxes", f"{peak_signal(made, true, boxes):.1f} dB", "26"),
        ("autoencoder, fine structure of hair and cloth", f"{kept_structure(made, true, cells):.2f}", ".7 to 1.3"),
    ]


def corner_colour(picture: Picture) -> npt.NDArray[np.float32]:
    """Lab of the two upper corners, where nothing but background is."""
    side = picture.shape[0] // 8
    patches = np.concatenate([picture[:side, :side].reshape(-1, 3), picture[:side, -side:].reshape(-1, 3)])
    return np.asarray(np.median(to_lab(patches[None])[0], axis=0), np.float32)


def background_lines(base: FrozenBase, each: int) -> list[Line]:
    """Each brand colour asked for `each` times; got is the colour whose painted backdrop is nearest (CIEDE2000)."""
    person = draw_identity(SEEDS["benchmarks"] + 900_000)
    names = list(BACKDROP)
    true = [
        corner_colour(
            paint(person, draw_capture(i, person, "studio", CaptureWish(background=n)), 64, 1.0, "aligned").picture
        )
        for i, n in enumerate(names)
    ]
    jobs = [
        RenderJob(str(i), None, f"studio headshot of a person, plain {n} background, softbox light, navy suit", "", i)
        for i, n in enumerate(names * each)
    ]
    drawn = render(base, jobs, plan_render(base))
    right, gaps = 0, []
    for i, picture in enumerate(drawn):
        colour = corner_colour(picture)
        distances = [float(delta_e(colour[None], t[None])[0]) for t in true]
        right += int(np.argmin(distances)) == i % len(names)
        gaps.append(distances[i % len(names)])
    return [
        ("background asked = got", f"{right} of {len(drawn)} ({right / len(drawn):.0%})", "90 %"),
        ("background, median ΔE to the asked one", f"{np.median(gaps):.1f}", ""),
    ]


def embed(eyes: Eyes, picture: Picture) -> Vectors:
    """By the judge. Portraits are aligned, so a face that the finder misses is where the template says."""
    faces = eyes.finder.find(picture)
    size = picture.shape[0]
    points = np.asarray(PORTRAIT_TEMPLATE * size, np.float32)
    face = faces[0] if faces else Face((0.3 * size, 0.25 * size, 0.4 * size, 0.5 * size), points, 0.0)
    return eyes.judge.embed(picture, face)


def mean_unit(vectors: Sequence[Vectors]) -> Vectors:
    """Centroid on the sphere."""
    mean = np.mean(vectors, axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)


def rank_one(vectors: Sequence[Sequence[Vectors]], centroids: Vectors) -> tuple[float, float, float, float]:
    """Shares of pictures, and of people (all theirs together), nearest to their own centroid; own and other cosine."""
    hits, people, own, other = 0, 0, [], []
    for i, mine in enumerate(vectors):
        scores = np.stack(mine) @ centroids.T
        hits += int((scores.argmax(1) == i).sum())
        people += int(scores.mean(0).argmax() == i)
        own.append(float(scores[:, i].mean()))
        other.append(float(np.delete(scores, i, axis=1).mean()) if len(centroids) > 1 else float("nan"))
    return hits / sum(map(len, vectors)), people / len(vectors), float(np.mean(own)), float(np.mean(other))


def mask_of(shot: Painting, side: int, outside: float) -> npt.NDArray[np.float32]:
    """How much each pixel of a selfie counts, as in the product, but from the painter's own truth."""
    selfie = Likeness("", shot.picture, Face((0.0, 0.0, 1.0, 1.0), shot.landmarks, 1.0))
    return cut_selfie(selfie, PORTRAIT, side, shot.alpha, outside).plane


def learn(
    base: FrozenBase, subjects: Sequence[Subject], quality: str, slots: int, updates: int | None = None
) -> tuple[list[object], float]:
    """Everybody's adapter by the product's own engine, and the seconds it took. `updates`: instead of the card's."""
    caption = f"selfie photo of a {base.card.token} person"
    plan = plan_training(base.card, quality, SELFIES)
    plan = plan if updates is None else replace(plan, steps=updates)
    people = [
        LearningPerson(
            str(s.seed),
            [at_side(shot.picture, base.card.resolution) for shot in s.selfies],
            [caption] * SELFIES,
            s.seed,
            planes=[mask_of(shot, base.card.resolution, plan.outside) for shot in s.selfies]
            if plan.outside < 1
            else (),
        )
        for s in subjects
    ]
    since = time.perf_counter()
    trained = train_cohort(base, people, plan, slots=slots)
    return [one.weights for one in trained], time.perf_counter() - since


def studio_job(base: FrozenBase, person: str, adapter: object, wall: str, seed: int) -> RenderJob:
    """One studio picture as the product asks this base for it."""

    def words(wall: str) -> str:
        return f"studio headshot of a {base.card.token} person, plain {wall} background, {LIGHT}, navy suit"

    card = base.card.render.face_wall
    face = words(card.word) if card and card.word != wall else ""
    return RenderJob(person, adapter, words(wall), "", seed, face=face)  # type: ignore[arg-type]


def draw(
    base: FrozenBase, subjects: Sequence[Subject], adapters: Sequence[object]
) -> tuple[list[list[Picture]], float]:
    """Four studio pictures of each, one per background."""
    jobs = [
        studio_job(base, str(s.seed), adapter, wall, s.seed + k)
        for s, adapter in zip(subjects, adapters, strict=True)
        for k, wall in enumerate(STUDIO)
    ]
    since = time.perf_counter()
    drawn = render(base, jobs, plan_render(base))
    seconds = time.perf_counter() - since
    drawn = [at_side(picture, subjects[0].selfies[0].picture.shape[0]) for picture in drawn]
    return [drawn[i : i + RENDERS] for i in range(0, len(drawn), RENDERS)], seconds


def identity_lines(
    eyes: Eyes, subjects: Sequence[Subject], drawn: list[list[Picture]], control: list[list[Picture]]
) -> list[Line]:
    """Rank-1 with and without adapters, and of true pictures as the most that can be had."""
    true = [[embed(eyes, shot.picture) for shot in s.studio] for s in subjects]
    centroids = np.stack([mean_unit(vectors) for vectors in true])
    half = np.stack([mean_unit(vectors[::2]) for vectors in true])
    lines: list[Line] = []
    chance = f"{1 / len(subjects):.0%} by chance"
    for name, target, (pictures, people, own, other) in (
        ("identity, adapters", "60 %", rank_one([[embed(eyes, p) for p in row] for row in drawn], centroids)),
        ("identity, no adapters", chance, rank_one([[embed(eyes, p) for p in row] for row in control], centroids)),
        ("identity, true pictures (other half)", "", rank_one([vectors[1::2] for vectors in true], half)),
    ):
        lines.append((f"{name}: rank-1 of pictures", f"{pictures:.0%}", target))
        lines.append((f"{name}: rank-1 of people", f"{people:.0%}", ""))
        lines.append((f"{name}: cosine, own / other", f"{own:.2f} / {other:.2f}", ""))
    found = sum(bool(eyes.finder.find(picture)) for row in drawn for picture in row)
    lines.append(("renders in which a face is found", f"{found} of {len(drawn) * RENDERS}", ""))
    return lines


def paint_studio(seed: int, side: int) -> list[Picture]:
    """The person as the painter sees them in the light and before the walls of the renders."""
    who = draw_identity(seed)
    wishes = [CaptureWish(background=name, light=LIGHT, frontal=1.0) for name in STUDIO]
    return [
        paint(who, draw_capture(seed * 64 + 48 + k, who, "studio", wish), side, 1.5, "aligned").picture
        for k, wish in enumerate(wishes)
    ]


def through_autoencoder(base: FrozenBase, pictures: Sequence[Picture], side: int) -> list[Picture]:
    """There and back; what is smaller than `side` is enlarged."""
    with base.encoders():
        latents = base.encode_pictures([at_side(picture, base.card.resolution) for picture in pictures]).mean
        return [at_side(picture, side) for picture in base.decode(latents)]


def skin_of(
    base: FrozenBase, eyes: Eyes, subjects: Sequence[Subject], drawn: Sequence[Sequence[Picture]]
) -> list[Line]:
    """Of what is drawn, before each wall too, and of the two sources that are no learning."""
    side = drawn[0][0].shape[0]
    painted = [paint_studio(s.seed, side) for s in subjects]
    beside = {
        "the autoencoder alone": [through_autoencoder(base, pictures, side) for pictures in painted],
        "the selfies themselves": [[shot.picture for shot in s.selfies] for s in subjects],
    } | {f"before {wall}": [[row[k]] for row in drawn] for k, wall in enumerate(STUDIO)}
    return skin_lines(eyes, painted, drawn, beside)


def eyes_lines(eyes: Eyes, subjects: Sequence[Subject]) -> list[Line]:
    """Finder, landmarks and matte on the same unseen people (portraits; whole scenes: `synthetic.eyes.evaluate`)."""
    shots = [shot for s in subjects for shot in (*s.selfies, *s.studio)]
    hits, gaps, overlaps = 0, [], []
    for shot in shots:
        faces = eyes.finder.find(shot.picture)
        if faces:
            hits += 1
            eye = float(np.hypot(*(shot.landmarks[1] - shot.landmarks[0])))
            gaps.append(float(np.hypot(*(faces[0].landmarks - shot.landmarks).T).mean()) / eye * 100)
        made, true = eyes.matter.matte(shot.picture) > 0.5, shot.alpha > 0.5
        overlaps.append(float((made & true).sum() / max(1, (made | true).sum())))
    return [
        ("eyes: faces found in portraits", f"{hits} of {len(shots)}", ""),
        ("eyes: landmark error, % of the eye distance", f"{np.median(gaps):.1f}" if gaps else "none found", ""),
        ("eyes: matte, intersection over union", f"{np.mean(overlaps):.3f}", ""),
    ]


def one_employee(base: FrozenBase, subject: Subject, quality: str, updates: int | None) -> list[Line]:
    """What a single person costs on this machine as it is now."""
    begun = time.process_time()
    (adapter,), learned = learn(base, [subject], quality, 1, updates)
    between = time.process_time()
    _, drawn = draw(base, [subject], [adapter])
    used = f"{between - begun:.1f} + {time.process_time() - between:.1f} s"
    return [
        ("one employee: 8 selfies, learning + 4 renders", f"{learned:.0f} + {drawn:.0f} s", "60 s in all"),
        ("one employee: the same in CPU seconds", used, ""),
    ]


def save_sheets(base: FrozenBase, subjects: Sequence[Subject], drawn: list[list[Picture]], folder: Path) -> None:
    """What the base draws from words, and selfies beside renders for the first 12 people."""
    samples = render(base, [RenderJob(str(i), None, p, "", 11) for i, p in enumerate(PROMPTS)], plan_render(base))
    samples = [at_side(picture, subjects[0].selfies[0].picture.shape[0]) for picture in samples]
    save_sheet(np.stack(samples), folder / "from_words.jpg", 4, 256 // samples[0].shape[0])
    rows = [
        [shot.picture for shot in (*s.selfies[:3], *s.studio[:1])] + row
        for s, row in zip(subjects[:12], drawn, strict=False)
    ]
    save_sheet(np.stack([picture for row in rows for picture in row]), folder / "people.jpg", 8, 1)


def measure(base: FrozenBase, subjects: Sequence[Subject], args: argparse.Namespace, sheets: Path | None) -> list[Line]:
    """The whole table of one base."""
    lines = autoencoder_lines(base, subjects) + background_lines(base, args.backgrounds)
    lines += one_employee(base, subjects[0], args.quality, args.updates)
    adapters, seconds = learn(base, subjects, args.quality, args.slots, args.updates)
    lines.append((f"{args.people} people, {args.slots} at once: learning", f"{seconds / args.people:.0f} s each", ""))
    drawn, seconds = draw(base, subjects, adapters)
    control, _ = draw(base, subjects, [None] * len(subjects))
    lines.append((f"{args.people} people: 4 renders", f"{seconds / args.people:.1f} s each", ""))
    if sheets is not None:
        save_sheets(base, subjects, drawn, sheets)
    try:
        eyes = open_eyes("embedded")
        lines += identity_lines(eyes, subjects, drawn, control) + skin_of(base, eyes, subjects, drawn)
        lines += eyes_lines(eyes, subjects)
    except EyesMissing as missing:
        lines.append(("identity", f"not measured: {missing}", "60 %"))
    return lines


def print_table(tables: Sequence[list[Line]]) -> None:
    """One row per figure, one column per base, and the target."""
    width = max(len(what) for what, _, _ in tables[0])
    for row in zip(*tables, strict=True):
        what, _, target = row[0]
        figures = "  ".join(f"{figure:<20}" for _, figure, _ in row)
        print(f"{what:<{width}}  {figures}  {'target ' + target if target else ''}".rstrip())


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--bases", type=Path, default=Path("base_models"))
    parser.add_argument("--base", nargs="+", default=["embedded"], help="names of cards")
    parser.add_argument("--quality", choices=("draft", "standard", "best"), default="standard")
    parser.add_argument("--updates", type=int, help="per person, instead of the card's")
    parser.add_argument("--slots", type=int, default=4, help="people who are learned at once")
    parser.add_argument("--backgrounds", type=int, default=3, help="pictures per brand colour")
    parser.add_argument("--sheets", type=Path, help="also write contact sheets into this folder (of the last base: of "
                        "others into folders of their names)")  # fmt: skip
    args = parser.parse_args(arguments)
    cards = [load_base_card(name, args.bases) for name in args.base]
    size = max(card.resolution for card in cards)
    subjects = [draw_subject(SEEDS["benchmarks"] + i, size) for i in range(args.people)]
    bases = [open_base(card) for card in cards]
    names = ", ".join(f"{base.card.name} ({base.fingerprint[:12]}, {base.card.resolution} px)" for base in bases)
    print(f"{names}: {args.people} unseen drawn people, quality {args.quality}, at {size} px", flush=True)
    tables = []
    for base in bases:
        own = args.sheets if base is bases[-1] or args.sheets is None else args.sheets / base.card.name
        tables.append(measure(base, subjects, args, own))
        # told at once as well: hours are lost when the next base ends in an error
        print(f"{base.card.name}: " + "; ".join(f"{what} {figure}" for what, figure, _ in tables[-1]), file=sys.stderr)
    print_table(tables)


if __name__ == "__main__":
    main()
