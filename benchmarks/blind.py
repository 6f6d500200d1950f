"""Which of two bases draws the better picture, told by eyes that do not know which is which.

    python -m benchmarks.blind draw DIR --bases BASES --base old new   people learned, 40 pairs of pictures drawn
    python -m benchmarks.blind tell DIR                               what the answers say, once they are there

`draw` learns unseen drawn people once, with the first base, and draws each picture with both bases from the same
adapter, words and noise (so it compares bases that share their denoiser, such as two autoencoders). The sides of each
pair are drawn by the machine's own randomness. The pairs lie in `DIR/sheet-*.png`, numbered; the key lies in
`DIR/key.json` and its SHA-256 in `DIR/key.sha256`. Whoever looks writes `DIR/answers.txt`, a line per pair
(`7 left`, `8 right`, `9 same`), and commits it with the key's SHA-256 before the key is read. `tell` refuses a key that
is not the one that was promised, and answers that leave a pair out.
"""

import argparse
import hashlib
import json
import math
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from benchmarks.embedded import at_side, draw, draw_subject, learn
from synthetic.dataset import SEEDS
from tasks.vision.diffusion import open_base
from tasks.vision.diffusion_card import load_base_card
from tasks.vision.images import Picture

SIDES = ("left", "right")
ANSWERS = (*SIDES, "same")
ROWS, GAP = 5, 24  # pairs a sheet; pixels between and above pictures
FIRST = 2000  # people of their own: not those of the tables


def sheet(pairs: Mapping[int, tuple[Picture, Picture]], side: int) -> Image.Image:
    """Numbered pairs under one another, two columns of them."""
    columns = 2
    rows = math.ceil(len(pairs) / columns)
    page = Image.new("RGB", (columns * (2 * side + 2 * GAP), rows * (side + GAP)), "white")
    pen = ImageDraw.Draw(page)
    for place, (number, pair) in enumerate(pairs.items()):
        left = place % columns * (2 * side + 2 * GAP) + GAP // 2
        top = place // columns * (side + GAP)
        pen.text((left, top + 6), f"{number}", fill="black")
        for k, picture in enumerate(pair):
            page.paste(Image.fromarray(at_side(picture, side)), (left + k * (side + GAP // 2), top + GAP))
    return page


def read_answers(text: str, pairs: int) -> dict[int, str]:
    """By number of the pair. Raises ValueError for what is no answer, twice, or left out."""
    found: dict[int, str] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        number, _, answer = line.partition(" ")
        if not number.isdigit() or answer not in ANSWERS:
            raise ValueError(f"{line!r}: write the number of the pair and one of {', '.join(ANSWERS)}")
        if int(number) in found:
            raise ValueError(f"Pair {number} is answered twice")
        found[int(number)] = answer
    if set(found) != set(range(1, pairs + 1)):
        raise ValueError(f"{len(found)} answers for {pairs} pairs: every pair wants one, numbered from 1")
    return found


def tell(folder: Path) -> Counter[str]:
    """How often each base was preferred. Raises ValueError for another key than was promised."""
    raw = (folder / "key.json").read_bytes()
    if hashlib.sha256(raw).hexdigest() != (folder / "key.sha256").read_text().split()[0]:
        raise ValueError("This is not the key whose SHA-256 was written down when the pairs were drawn")
    left: list[str] = json.loads(raw)["left"]
    bases: list[str] = json.loads(raw)["bases"]
    counts: Counter[str] = Counter({name: 0 for name in (*bases, "same")})
    for number, answer in read_answers((folder / "answers.txt").read_text(), len(left)).items():
        mine = left[number - 1]
        other = next(name for name in bases if name != mine)
        counts[{"left": mine, "right": other, "same": "same"}[answer]] += 1
    return counts


def chance(wins: int, losses: int) -> float:
    """How likely so uneven a result is when nothing tells the two apart: two-sided sign test, ties left out."""
    total, most = wins + losses, max(wins, losses)
    tail = sum(math.comb(total, k) for k in range(most, total + 1)) / 2**total
    return min(1.0, 2 * tail)


def draw_pairs(args: argparse.Namespace) -> None:
    """Writes sheets, key and the key's digest."""
    bases = [open_base(load_base_card(name, args.bases), device="cpu") for name in args.base]
    side = max(base.card.resolution for base in bases)
    subjects = [draw_subject(SEEDS["benchmarks"] + FIRST + i, side) for i in range(math.ceil(args.pairs / 4))]
    adapters, seconds = learn(bases[0], subjects, args.quality, args.slots, args.updates)
    print(f"{len(subjects)} people learned in {seconds:.0f} s", flush=True)
    drawn = [[one for mine in draw(base, subjects, adapters)[0] for one in mine][: args.pairs] for base in bases]
    order, left = list(range(args.pairs)), []
    secrets.SystemRandom().shuffle(order)
    pairs: dict[int, tuple[Picture, Picture]] = {}
    for number, one in enumerate(order, 1):
        first = secrets.randbelow(2)
        left.append(args.base[first])
        pairs[number] = (drawn[first][one], drawn[1 - first][one])
    args.folder.mkdir(parents=True, exist_ok=True)
    key = json.dumps({"bases": args.base, "left": left, "made of": order}).encode()
    (args.folder / "key.json").write_bytes(key)
    (args.folder / "key.sha256").write_text(hashlib.sha256(key).hexdigest() + "  key.json\n")
    for k in range(0, args.pairs, 2 * ROWS):
        some = {number: pair for number, pair in pairs.items() if k < number <= k + 2 * ROWS}
        sheet(some, args.shown or side).save(args.folder / f"sheet-{k // (2 * ROWS) + 1}.png")
    differ = float(np.mean([np.abs(a.astype(int) - b.astype(int)).mean() for a, b in pairs.values()]))
    print(f"{args.pairs} pairs, {differ:.1f} levels apart in the mean: {args.folder}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Draws pairs, or tells what the answers say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("draw", "tell"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bases", type=Path, default=Path("base_models"))
    parser.add_argument("--base", nargs=2, default=["old", "new"], help="names of two cards")
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--quality", choices=("draft", "standard", "best"), default="draft")
    parser.add_argument("--updates", type=int, help="per person, instead of the card's")
    parser.add_argument("--slots", type=int, default=4, help="people who are learned at once")
    parser.add_argument("--shown", type=int, help="side of a picture in the sheets, px")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if args.what == "draw":
        draw_pairs(args)
        return
    counts = tell(args.folder)
    first, second = (name for name in counts if name != "same")
    print(", ".join(f"{name} {count}" for name, count in counts.items()))
    print(f"by chance alone as uneven or more so: {chance(counts[first], counts[second]):.2g}")


if __name__ == "__main__":
    main()
