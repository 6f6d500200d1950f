"""What looking at a company's photos costs: a check and a run, beside one after another at full size as 0.1 did it.

    python -m benchmarks.photos --photos 2000

Photos are drawn people of `samples/` enlarged to 12 megapixels with grain, as JPEG with a profile and as HEIC.
Prints one table. Wall time means something on a quiet machine only; processor time means it everywhere.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pillow_heif
import psutil
from PIL import Image, ImageCms

from tasks.roster.folder_drop import FolderDrop
from tasks.sandbox import cores, the_sandbox
from tasks.selfies.examine import examine
from tasks.selfies.look import measured
from tasks.vision.faces import Eyes
from tasks.vision.images import MAX_SIDE, read_picture, resize
from tasks.vision.open_eyes import open_eyes
from tasks.vision.photos import LONG_SIDE, Photo

SELFIES = Path(__file__).resolve().parents[1] / "samples" / "northwind" / "selfies"
SIZE = (4032, 3024)
Photos = dict[str, list[str]]  # person → paths
EACH = 8  # photos of a person
DISTINCT = {"jpg": 16, "heic": 2}  # pictures that are really made; the others are the same bytes under other names


def make_photo(path: Path, seed: int, format: str) -> bytes:
    """A phone's photo of a drawn person: 12 megapixels, with grain, and a profile."""
    rng = np.random.default_rng(seed)
    with Image.open(path) as drawn:
        large = np.asarray(drawn.convert("RGB").resize(SIZE, Image.Resampling.BICUBIC), np.float32)
    grain = rng.normal(0, 3.0, (SIZE[1] // 2, SIZE[0] // 2, 1)).repeat(2, 0).repeat(2, 1)  # denoised, as phones do
    picture = Image.fromarray(np.clip(large + grain, 0, 255).astype(np.uint8))
    out = io.BytesIO()
    if format == "heic":
        pillow_heif.from_pillow(picture).save(out, quality=70, enc_params={"preset": "ultrafast"})
    else:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        picture.save(out, "JPEG", quality=93, subsampling="4:2:0", icc_profile=profile)
    return out.getvalue()


def make_drop(folder: Path, count: int, format: str) -> tuple[FolderDrop, Photos, float]:
    """A folder for each person, `count` photos in all, and how many megabytes one has."""
    sources = sorted(SELFIES.glob("NW-10*/IMG_1*.jpg"))[::10][: DISTINCT[format]]
    made = [make_photo(path, seed, format) for seed, path in enumerate(sources)]
    photos: Photos = {}
    for i in range(count):
        number = f"{i // EACH:05d}"
        path = f"{number}/{i:06d}.{format}"
        photos.setdefault(number, []).append(path)
        (folder / number).mkdir(exist_ok=True)
        first = folder / f".{i % len(made)}"
        if not first.exists():
            first.write_bytes(made[i % len(made)])
        os.link(first, folder / path)
    return FolderDrop(str(folder)), photos, sum(map(len, made)) / len(made) / 1e6


@dataclass(frozen=True)
class Cost:
    """`memory` is the most that all processes together had, pages they share counted in each."""

    wall: float
    cpu: float
    memory: float


def measure(work: Callable[[], None]) -> Cost:
    peak, done = 0, threading.Event()
    me = psutil.Process()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.2):
            try:
                peak = max(peak, sum(process.memory_info().rss for process in (me, *me.children(recursive=True))))
            except psutil.NoSuchProcess:
                continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    before, began = processor(), time.monotonic()
    work()
    wall = time.monotonic() - began
    the_sandbox().close()  # a child's time counts once it has ended
    done.set()
    watcher.join()
    return Cost(wall, processor() - before, peak / 2**20)


def processor() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def one_after_another(drop: FolderDrop, eyes: Eyes, photos: Photos) -> None:
    """As version 0.1 did: the whole picture, in this process, and made small at the end."""
    for paths in photos.values():
        for path in paths:
            picture = read_picture(drop.read(path), MAX_SIDE).picture
            height, width = picture.shape[:2]
            scale = min(1.0, LONG_SIDE / max(height, width))
            small = resize(picture, round(width * scale), round(height * scale))
            measured(Photo(small, None, (small.shape[1], small.shape[0]), 1.0), "", eyes)


def all_at_once(drop: FolderDrop, eyes: Eyes, keep: bool, photos: Photos) -> None:
    for _ in examine(list(photos), photos, drop, eyes, lambda _: True, keep=keep):
        pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--eyes", default="embedded")
    options = parser.parse_args()
    eyes = open_eyes(options.eyes)
    few = max(EACH, options.photos // 20)
    print(f"{cores()} cores, {options.eyes} eyes\n")
    print("| photos of 12 megapixels | photos | wall | a photo | processor, a photo | most memory |")
    print("|---|---:|---:|---:|---:|---:|", flush=True)
    for format, count in (("jpg", options.photos), ("heic", few)):
        with tempfile.TemporaryDirectory() as folder:
            drop, photos, size = make_drop(Path(folder), count, format)
            for name, most, work in ways(drop, eyes, count, few if format == "jpg" else EACH):
                some = {number: paths for number, paths in photos.items() if int(number) * EACH < most}
                cost = measure(partial(work, some))
                number = sum(map(len, some.values()))
                each, used = 1000 * cost.wall / number, 1000 * cost.cpu / number
                print(
                    f"| {format.upper()} of {size:.1f} MB, {name} | {number} | {cost.wall:.0f} s | {each:.0f} ms "
                    f"| {used:.0f} ms | {cost.memory:.0f} MiB |",
                    flush=True,
                )


def ways(drop: FolderDrop, eyes: Eyes, count: int, few: int) -> list[tuple[str, int, Callable[[Photos], None]]]:
    """Name, how many photos, and the work."""
    return [
        ("one after another, whole", few, partial(one_after_another, drop, eyes)),
        ("check", count, partial(all_at_once, drop, eyes, False)),
        ("run", few, partial(all_at_once, drop, eyes, True)),
    ]


if __name__ == "__main__":
    main()
