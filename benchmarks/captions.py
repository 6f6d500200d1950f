"""How often a caption's words about a photo are right: glasses and parks of drawn people, and a folder of photographs.

    python -m benchmarks.captions --people 24            (drawn people, whose truth is known; a minute)
    python -m benchmarks.captions DIR --models MODELS    (photographs: what is said of each, to be checked by eye)

What cannot be told is left out of a caption, so two figures count: how often something true is said, and how often
something false.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from synthetic.dataset import SEEDS
from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import paint
from tasks.vision.images import read_picture
from tasks.vision.looks import read_looks
from tasks.vision.open_eyes import open_eyes

SIDE = 256  # px
SCENES = ("park", "kitchen", "office", "street", "cafe", "living room")
FIRST = 2000  # of the benchmark's seeds: others than the recipe's people


def drawn(people: int) -> None:
    """Each person once in each scene, with glasses and without in turn."""
    eyes = open_eyes("embedded")
    counts = {"glasses": [0, 0, 0, 0], "outdoors": [0, 0, 0, 0]}  # said and so; not said and so; said and not; neither
    for number in range(people):
        who = draw_identity(SEEDS["benchmarks"] + FIRST + number)
        for place, scene in enumerate(SCENES):
            worn = (number + place) % 2 == 0
            shot = draw_capture(number * 64 + place, who, "selfie", CaptureWish(frontal=0.7, background=scene))
            bare = replace(who, numbers=who.numbers | {"g_on": float(worn)})
            picture = paint(bare, shot, SIDE, 1.5, "natural").picture
            if not (faces := eyes.finder.find(picture)):
                continue
            looks = read_looks(eyes, picture, faces[0], eyes.matter.matte(picture))
            for name, said, so in (("glasses", looks.glasses, worn), ("outdoors", looks.outdoors, scene == "park")):
                counts[name][(0 if so else 2) + (0 if said else 1)] += 1
    print(f"{people} drawn people in {len(SCENES)} scenes, embedded eyes")
    for name, (told, missed, false, rest) in counts.items():
        print(f"  {name:<10} said of {told} of {told + missed}; of {false} of {false + rest} wrongly")


def photographs(folder: Path, models: Path) -> None:
    """One line for each photo."""
    eyes = open_eyes("opencv", models)
    for path in sorted(one for one in folder.iterdir() if one.suffix.lower() in (".jpg", ".jpeg", ".png")):
        picture = read_picture(path.read_bytes()).picture
        if faces := eyes.finder.find(picture):
            looks = read_looks(eyes, picture, faces[0], eyes.matter.matte(picture))
            words = {"smiling": looks.smiling, "glasses": looks.glasses, "outdoors": looks.outdoors}
            print(f"{path.name:<24}{', '.join(word for word, said in words.items() if said) or '-'}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints one of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="with photographs")
    parser.add_argument("--models", type=Path, help="where the eyes for real people lie")
    parser.add_argument("--people", type=int, default=24)
    args = parser.parse_args(arguments)
    if args.folder is None:
        drawn(args.people)
    elif args.models is None:
        parser.error("photographs need --models: the folder of `rollcall models pull opencv`")
    else:
        photographs(args.folder, args.models)


if __name__ == "__main__":
    main()
