"""Pictures for pages: small enough to load at once, sharp on dense screens, with what marks them as AI-made kept.

Pages never carry originals. Each picture is fitted into a box, written as WebP under a name that tells its digest and
size, so that a second writing of the report opens nothing.
"""

import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from reports.data import ReportData
from reports.pages import in_order
from tasks.vision.small import Box, small_webp


def fit(content: bytes, box: Box) -> tuple[bytes, int, int]:
    """A picture fitted into `box` (never enlarged), upright, as WebP; its XMP is kept, everything else dropped."""
    with Image.open(io.BytesIO(content)) as opened:
        xmp = opened.info.get("xmp", b"")
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    return small_webp(picture, box, xmp=xmp), picture.width, picture.height


def pictures_in(folder: Path) -> dict[str, str]:
    """The pictures that lie in a person's folder, by stem: what their names say before their size."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return {name.rpartition("-")[0]: name for name in names if name.endswith(".webp")}


def page_picture(stem: str, box: Box, made: bytes | None, read: Callable[[], bytes | None]) -> tuple[str, bytes] | None:
    """A picture's file for pages: its name, which tells its size, and its bytes.

    `made`: the copy of this size that was made when the picture was; without one it is made of what `read` answers.
    """
    content = made if made is not None else read()
    if content is None:
        return None
    try:
        if made is None:
            content, width, height = fit(content, box)
        else:
            with Image.open(io.BytesIO(made)) as image:
                width, height = image.size
    except (OSError, ValueError):  # one damaged picture is a gap on one page, never the end of the report
        return None
    return f"{stem}-{width}x{height}.webp", content


def size_in(name: str) -> tuple[int, int]:
    """What the name of a page's picture says of its width and height."""
    across, down = Path(name).stem.rpartition("-")[2].split("x")
    return int(across), int(down)


def team_wall_picture(
    data: ReportData, *, columns: int = 6, rows: int | None = None, tile: Box = (240, 300), gap: int = 16
) -> bytes:
    """The team as one PNG: the proposed or approved picture of everybody who has one, without a word on it."""
    tiles: list[Image.Image] = []
    limit = columns * rows if rows else len(data.people)
    for person in data.people:
        shots = sorted(in_order(person), key=lambda shot: shot.state != "approved")
        content = data.pictures(person.id, shots[0].key) if shots else None
        if content is not None and len(tiles) < limit:
            with Image.open(io.BytesIO(content)) as opened:
                tiles.append(ImageOps.fit(opened.convert("RGB"), tile, Image.Resampling.LANCZOS, centering=(0.5, 0.4)))
    count = max(1, -(-len(tiles) // columns))
    across = min(columns, max(1, len(tiles)))
    sheet = Image.new("RGB", (across * (tile[0] + gap) + gap, count * (tile[1] + gap) + gap), (250, 249, 247))
    for index, picture in enumerate(tiles):
        x, y = gap + (index % columns) * (tile[0] + gap), gap + (index // columns) * (tile[1] + gap)
        sheet.paste(picture, (x, y), _rounded(tile))
    out = io.BytesIO()
    sheet.save(out, "PNG", optimize=True)
    return out.getvalue()


def _rounded(tile: Box) -> Image.Image:
    mask = Image.new("L", (tile[0] * 4, tile[1] * 4), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, tile[0] * 4 - 1, tile[1] * 4 - 1), radius=56, fill=255)
    return mask.resize(tile, Image.Resampling.LANCZOS)
