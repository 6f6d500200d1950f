"""The imperceptible mark: what is read back from which copies, what it costs, and what unmarked pictures reach.

    python -m benchmarks.mark                       # on the sample company's photos, enlarged to a headshot's size
    python -m benchmarks.mark FOLDER                # on any folder of pictures
    python -m benchmarks.mark --finished            # on those photos after finishing: what really leaves
    python -m benchmarks.mark --skin                # how strong it is on facial skin, and what marking costs
    python -m benchmarks.mark --unmarked 10000      # how high chance reaches; about a second for eight searches
    python -m benchmarks.mark --unmarked 10000 --keep FILE   # goes on where FILE ends, and prints what is known so far

The second table searches each unmarked picture with many keys, as if each were another installation's, and fits the
law of largest values (Gumbel) to the evidence: the thresholds in `tasks/disclosure/finding.py` come from it.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tasks.disclosure.finding import MARKED, PROBABLY, Copy, find_mark
from tasks.disclosure.marking import put_mark
from tasks.disclosure.pattern import MarkKey, payload_for
from tasks.headshots.finish import CannotFinish
from tasks.headshots.kit import load_kit
from tasks.headshots.look import find_head
from tasks.headshots.measure import bare_skin
from tasks.headshots.studio import finish_candidate
from tasks.vision.images import Picture
from tasks.vision.open_eyes import open_eyes

SIZE = 1024
SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "northwind" / "selfies"
KITS = SAMPLES.parents[2] / "brand_kits"
CHECK_PASSES = 4096 / 65536  # chance that one of the words tried fits its check of 16 bits


def encoded(picture: Picture, how: str, quality: int) -> Picture:
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(out, how, quality=quality)
    return np.asarray(Image.open(out).convert("RGB"))


def sized(picture: Picture, short: int) -> Picture:
    ratio = short / min(picture.shape[:2])
    size = (round(picture.shape[1] * ratio), round(picture.shape[0] * ratio))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def cropped(picture: Picture, share: float) -> Picture:
    height, width = picture.shape[:2]
    top, left = int(height * share * 0.7), int(width * share * 0.2)
    return np.ascontiguousarray(picture[top : top + int(height * (1 - share)), left : left + int(width * (1 - share))])


def circled(picture: Picture) -> Picture:
    side = min(picture.shape[:2])
    down, across = np.mgrid[:side, :side]
    cut = picture[:side, :side].copy()
    cut[np.hypot(down - side / 2, across - side / 2) > side / 2] = 255
    return cut


def screenshot(picture: Picture) -> Picture:
    small = sized(cropped(picture, 0.05), int(min(picture.shape[:2]) * 0.37))
    return np.clip(255 * (small / 255.0) ** 1.15, 0, 255).astype(np.uint8)


COPIES: dict[str, Callable[[Picture], Picture]] = {
    "as it left": lambda p: p,
    "JPEG 70": lambda p: encoded(p, "JPEG", 70),
    "200 px, JPEG 80": lambda p: encoded(sized(p, 200), "JPEG", 80),
    "200 px, JPEG 70": lambda p: encoded(sized(p, 200), "JPEG", 70),
    "10 % cropped, JPEG 85": lambda p: encoded(cropped(p, 0.1), "JPEG", 85),
    "20 % cropped, 300 px, JPEG 75": lambda p: encoded(sized(cropped(p, 0.2), 300), "JPEG", 75),
    "circle on white, 256 px, JPEG 80": lambda p: encoded(sized(circled(p), 256), "JPEG", 80),
    "WebP 70, 400 px": lambda p: encoded(sized(p, 400), "WEBP", 70),
    "screenshot at 37 %, gamma 1.15, 5 % cropped": screenshot,
    "mirrored, 300 px, JPEG 80": lambda p: encoded(sized(np.ascontiguousarray(p[:, ::-1]), 300), "JPEG", 80),
    "150 px, JPEG 75": lambda p: encoded(sized(p, 150), "JPEG", 75),
    "96 px, JPEG 85": lambda p: encoded(sized(p, 96), "JPEG", 85),
}


def pictures(folder: Path, most: int) -> Iterator[Picture]:
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"})
    for path in found[:: max(1, len(found) // most)][:most]:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
        yield sized(np.asarray(upright), SIZE)


def finished_pictures(folder: Path, most: int) -> Iterator[Picture]:
    """The same after finishing, without a mark; what cannot be finished is left out."""
    eyes, kit = open_eyes(), load_kit("northwind", KITS)
    for picture in pictures(folder, most):
        try:
            yield finish_candidate(picture, kit, eyes).finished.picture
        except CannotFinish:
            continue


def copies_table(found: Iterator[Picture]) -> None:
    """What is read back from each copy of each picture."""
    key = MarkKey(hashlib.sha256(b"benchmark").digest())
    payload = payload_for(key, "generated")
    read: dict[str, list[float]] = {name: [] for name in COPIES}
    noise, seconds, searching = [], [], []
    for picture in found:
        began = time.perf_counter()
        marked = put_mark(picture, key, payload).picture
        seconds.append(time.perf_counter() - began)
        noise.append(10 * np.log10(255**2 / np.mean((marked.astype(float) - picture) ** 2)))
        for name, make in COPIES.items():
            began = time.perf_counter()
            found = find_mark(Copy(make(marked)), key)
            searching.append(time.perf_counter() - began)
            read[name].append(found.evidence if found.payload == payload else 0.0)
    print(f"{len(noise)} pictures of {SIZE} px; PSNR {np.median(noise):.1f} dB median, {min(noise):.1f} least; "
          f"marking {np.median(seconds):.2f} s, searching {np.median(searching):.2f} s median")  # fmt: skip
    print(f"{'copy':<46}{'marked':>8}{'probably':>10}{'of':>5}   least evidence read")
    for name, evidence in read.items():
        sure, probable = sum(e >= MARKED for e in evidence), sum(PROBABLY <= e < MARKED for e in evidence)
        print(f"{name:<46}{sure:>8}{probable:>10}{len(evidence):>5}   {min(evidence):.1f}")


def skin_table(folder: Path, count: int) -> None:
    """PSNR on facial skin alone, where a mark would be seen first; processor seconds of marking and of finishing."""
    eyes, kit = open_eyes(), load_kit("northwind", KITS)
    key = MarkKey(hashlib.sha256(b"benchmark").digest())
    noise, marking, finishing = [], [], []
    for picture in pictures(folder, count):
        began = time.process_time()
        try:
            finished = finish_candidate(picture, kit, eyes).finished.picture
        except CannotFinish:
            continue
        finishing.append(time.process_time() - began)
        began = time.process_time()
        marked = put_mark(finished, key, payload_for(key, "generated")).picture
        marking.append(time.process_time() - began)
        face = find_head(finished, eyes)
        if face is not None and (skin := bare_skin(finished, face)).any():
            change = (marked.astype(float) - finished)[skin]
            noise.append(10 * np.log10(255**2 / np.mean(change**2)))
    print(
        f"{len(noise)} finished pictures: facial skin {np.median(noise):.1f} dB PSNR median, {min(noise):.1f} least; "
        f"marking {np.median(marking):.2f} processor seconds, finishing {np.median(finishing):.2f}"
    )


def searched(folder: Path, searches: int, keep: Path | None, keys_each: int = 64) -> list[tuple[float, str]]:
    """(evidence, verdict) of each search of an unmarked picture; `keep` holds a line of each, and is gone on with."""
    lines = keep.read_text().splitlines() if keep is not None and keep.exists() else []
    known = [(float(evidence), verdict) for evidence, verdict in (line.split() for line in lines)]
    keys = [MarkKey(hashlib.sha256(f"unmarked {n}".encode()).digest()) for n in range(keys_each)]
    for number, picture in enumerate(pictures(folder, max(1, searches // keys_each))):
        if (number + 1) * keys_each <= len(known):
            continue
        copy = Copy(picture)
        for key in keys[max(0, len(known) - number * keys_each) :]:
            found = find_mark(copy, key)
            known.append((found.evidence, found.verdict))
            if keep is not None:
                with keep.open("a") as file:
                    file.write(f"{found.evidence:.4f} {found.verdict}\n")
    return known


def unmarked_table(known: list[tuple[float, str]]) -> None:
    """The evidence that chance reaches, and what the thresholds let through."""
    reached = [evidence for evidence, _ in known]
    alarms = {name: sum(verdict == name for _, verdict in known) for name in ("marked", "probably")}
    values = np.array(reached)
    scale = values.std() * np.sqrt(6) / np.pi
    place = values.mean() - 0.5772 * scale
    print(
        f"{len(values)} searches of unmarked pictures: evidence {values.mean():.2f} on average, {values.max():.2f} most"
    )
    print(f"called marked {alarms['marked']}, probably {alarms['probably']}")
    for name, limit in (("probably", PROBABLY), ("marked", MARKED)):
        over = 1 - np.exp(-np.exp(-(limit - place) / scale))
        print(
            f"{name:<10} from {limit}: by the fitted law {over:.1e}, with a check that fits {over * CHECK_PASSES:.1e}"
        )


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("folder", nargs="?", type=Path, default=SAMPLES)
    words.add_argument("--pictures", type=int, default=28)
    words.add_argument("--unmarked", type=int, default=0, help="searches of unmarked pictures instead")
    words.add_argument("--keep", type=Path, help="file of the searches done so far")
    words.add_argument("--finished", action="store_true", help="finish the photos before they are marked")
    words.add_argument("--skin", action="store_true", help="strength on skin and cost instead")
    asked = words.parse_args()
    if asked.skin:
        skin_table(asked.folder, asked.pictures)
    elif asked.unmarked:
        unmarked_table(searched(asked.folder, asked.unmarked, asked.keep))
    else:
        copies_table((finished_pictures if asked.finished else pictures)(asked.folder, asked.pictures))


if __name__ == "__main__":
    main()
