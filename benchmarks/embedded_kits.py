"""What the wall inside the face is worth under real brand kits: skin and halo, with it and without.

    python -m benchmarks.embedded_kits --people 20 --work DIR      (a quarter of an hour; DIR keeps what is learned)
    python -m benchmarks.embedded_kits --people 2 --quality draft  (two minutes)

Unseen drawn people, learned by the product's own engine, drawn with a kit's words, seeds and backdrop, and finished.
Shift of skin: of each person against the painter's pictures of them, in degrees of ITA without sign, as drawn; beside
it the paired difference with a 95 % interval by bootstrap over people. Halo: as the finished pictures' measure has it,
median and worst, and how many are flagged. A kit whose own wall is the card's asks for nothing else.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from benchmarks.embedded import Subject, draw_subject, learn, paint_studio
from benchmarks.embedded_skin import tone
from benchmarks.recipe.__main__ import interval
from synthetic.dataset import SEEDS
from tasks.headshots.backdrop import draw_backdrop
from tasks.headshots.kit import BrandKit, load_kit
from tasks.headshots.photographing import PLATE_STRENGTH
from tasks.headshots.render import RenderJob, plan_render, render
from tasks.headshots.shots import shots_for
from tasks.headshots.studio import finish_candidate
from tasks.shipped import SHIPPED
from tasks.vision.diffusion import FrozenBase, open_base
from tasks.vision.diffusion_card import load_base_card
from tasks.vision.faces import Eyes
from tasks.vision.open_eyes import open_eyes

KITS = ("signal", "harbour")  # teal and blue walls
EACH = 2  # pictures of a person under a kit
Adapter = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Drawn:
    """Everybody under one kit: ITA of each person's skin, halo of each picture, and how many are flagged for one."""

    tones: list[float]
    halos: list[float]
    flagged: int


def learned(base: FrozenBase, subjects: Sequence[Subject], quality: str, work: Path | None) -> list[Adapter]:
    """Everybody's adapter, four at once; those that lie in `work` are taken from there."""
    found: dict[int, Adapter] = {}
    for start in range(0, len(subjects), 4):
        group = [s for s in subjects[start : start + 4] if work is None or not _place(work, base, quality, s).is_file()]
        if group:
            for subject, weights in zip(group, learn(base, group, quality, 4)[0], strict=True):
                assert isinstance(weights, dict)
                found[subject.seed] = weights
                if work is not None:
                    work.mkdir(parents=True, exist_ok=True)
                    save_file(weights, _place(work, base, quality, subject))
    return [found.get(s.seed) or load_file(_place(work or Path(), base, quality, s)) for s in subjects]


def _place(work: Path, base: FrozenBase, quality: str, subject: Subject) -> Path:
    return work / f"{base.fingerprint[:8]}-{quality}-{subject.seed}.safetensors"


def draw(
    base: FrozenBase, eyes: Eyes, kit: BrandKit, seeds: Sequence[int], adapters: Sequence[Adapter], face_wall: str
) -> Drawn:
    """As the product does it; `face_wall` "" for none."""
    plan = plan_render(base, plate_strength=PLATE_STRENGTH)
    plate, speech, token = draw_backdrop(kit, plan.size, plan.size), base.card.speech, base.card.token
    jobs = [
        RenderJob(str(seed), adapter, shot.prompt, shot.negative, shot.seed, plate, face=shot.face)
        for seed, adapter in zip(seeds, adapters, strict=True)
        for shot in shots_for(kit, str(seed), None, "keep", speech, token, 0, face_wall=face_wall)[:EACH]
    ]
    pictures = render(base, jobs, plan)
    finished = [finish_candidate(picture, kit, eyes) for picture in pictures]
    return Drawn(
        [tone(eyes, pictures[at : at + EACH]) for at in range(0, len(pictures), EACH)],
        [one.finished.measures.halo for one in finished],
        sum(any(flag.code == "halo" for flag in one.flags) for one in finished),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table, two lines a kit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--bases", type=Path, default=Path("base_models"))
    parser.add_argument("--quality", choices=("draft", "standard", "best"), default="standard")
    parser.add_argument("--work", type=Path, help="where learned adapters are kept")
    args = parser.parse_args(arguments)
    base, eyes = open_base(load_base_card("embedded", args.bases)), open_eyes("embedded")
    wall = base.card.render.face_wall
    subjects = [draw_subject(SEEDS["benchmarks"] + i, base.card.resolution) for i in range(args.people)]
    about = f"{base.fingerprint[:12]}: {args.people} unseen drawn people, quality {args.quality}"
    print(f"{about}, {EACH} pictures under each kit", flush=True)
    adapters, seeds = learned(base, subjects, args.quality, args.work), [s.seed for s in subjects]
    true = np.asarray([tone(eyes, paint_studio(seed, base.card.resolution)) for seed in seeds])
    for name in KITS:
        usual: list[float] = []
        for how in ("", wall.word if wall else ""):
            drawn = draw(base, eyes, load_kit(name, SHIPPED / "brand_kits"), seeds, adapters, how)
            shift = np.abs(np.asarray(drawn.tones) - true).tolist()
            usual = usual or shift
            gap, low, high = interval(shift, usual)
            skin = f"skin {np.mean(shift):.1f}° ({gap:+.1f} [{low:+.1f}, {high:+.1f}])"
            halo = f"halo {np.median(drawn.halos):.2f}, {np.max(drawn.halos):.2f} at most"
            flagged = f"{drawn.flagged} of {len(drawn.halos)} flagged"
            print(f"{name:<9}{how or 'its own wall':<14}{skin}  {halo}, {flagged}", flush=True)


if __name__ == "__main__":
    main()
