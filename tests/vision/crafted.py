"""Pictures made to hurt what opens them, small enough to be made on the spot; and ordinary ones of unusual phones."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

MIB = 2**20


def photo(width: int = 640, height: int = 480, seed: int = 0) -> Image.Image:
    """Soft colours with a little grain, as a camera gives them."""
    rng = np.random.default_rng(seed)
    soft = Image.fromarray(rng.integers(30, 220, (6, 8, 3), dtype=np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    if width * height > 4_000_000:
        return soft
    grain = rng.normal(0, 4, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(soft) + grain, 0, 255).astype(np.uint8))


def saved(image: Image.Image, format: str, **how: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **how)
    return out.getvalue()


def jpeg(width: int = 640, height: int = 480, **how: object) -> bytes:
    return saved(photo(width, height), "JPEG", **{"quality": 85, **how})


def in_front(segments: bytes) -> bytes:
    """A good JPEG with these segments before its own."""
    whole = jpeg()
    return whole[:2] + segments + whole[2:]


def segment(marker: int, body: bytes = b"") -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(body)) + body


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int = 8, colour: int = 2, extra: bytes = b"") -> bytes:
    """A PNG of one colour, without ever being in memory."""
    line = bytes(1 + width * {0: 1, 2: 3, 4: 2, 6: 4}[colour] * depth // 8)
    pack = zlib.compressobj(1)
    rows = b"".join(pack.compress(line) for _ in range(height)) + pack.flush()
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", rows) + chunk(b"IEND")


def png_of_size_only(side: int) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND")


def resized_header(data: bytes, width: int, height: int) -> bytes:
    """A baseline JPEG that claims another size."""
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def scans(count: int) -> bytes:
    """A progressive JPEG of 16 megapixels whose last scan comes again and again."""
    whole = saved(Image.new("RGB", (4000, 4000)), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:-2] + whole[last:-2] * count + b"\xff\xd9"


def webp_of_size_only(width: int, height: int) -> bytes:
    data = bytearray(saved(Image.new("RGBA", (16, 16)), "WEBP", lossless=True, exact=True))
    at = data.index(b"VP8L") + 9
    bits = int.from_bytes(data[at : at + 4], "little") & ~0xFFFFFFF | (height - 1) << 14 | (width - 1)
    data[at : at + 4] = bits.to_bytes(4, "little")
    return bytes(data)


def gif(frames: int = 1, comment: int = 0, side: int = 8) -> bytes:
    whole = saved(Image.new("P", (8, 8)), "GIF")
    head, rest = bytearray(whole[:-1]), b"\x3b"
    head[6:10] = struct.pack("<HH", side, side)
    picture = whole[whole.index(b"\x2c") : -1]
    return bytes(head) + b"\x21\xfe\x01a\x00" * comment + picture * (frames - 1) + rest


def bmp_of_size_only(side: int) -> bytes:
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 99, 0, 0, 54, 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)


def exif_without_end() -> bytes:
    """An orientation among 65,535 entries, each of which points behind the file."""
    entries = b"".join(struct.pack("<HHII", 0x9000 + i % 99, 2, 2**31, 2**31) for i in range(5_000))
    tiff = b"II*\0" + struct.pack("<IH", 8, 65_535) + entries
    return in_front(segment(0xE1, b"Exif\0\0" + tiff[:65_000]))


CRAFTED: dict[str, Callable[[], bytes]] = {
    "exif_many.jpg": lambda: in_front(segment(0xE1, b"Exif\0\0") * (5 * MIB // 10)),
    "exif_no_end.jpg": exif_without_end,
    "fill.jpg": lambda: in_front(b"\xff" * (5 * MIB)),
    "app.jpg": lambda: in_front(segment(0xE4) * (5 * MIB // 4)),
    "com.jpg": lambda: in_front(segment(0xFE) * (5 * MIB // 4)),
    "dht.jpg": lambda: in_front(segment(0xC4) * (5 * MIB // 4)),
    "header.jpg": lambda: in_front(segment(0xE5, bytes(65_000)) * 300),
    "scans.jpg": lambda: scans(200),
    "coefficients.jpg": lambda: saved(Image.new("RGB", (8000, 8000)), "JPEG", progressive=True, subsampling=0),
    "claims_much.jpg": lambda: resized_header(jpeg(), 65_500, 65_500),
    "private.png": lambda: png(64, 64, extra=chunk(b"prIv") * (5 * MIB // 12)),
    "empty_idat.png": lambda: png(64, 64, extra=chunk(b"IDAT") * (5 * MIB // 12)),
    "rgba16.png": lambda: png(8000, 8000, 16, 6),
    "rgb.png": lambda: png(9000, 9000),
    "claims_much.png": lambda: png_of_size_only(60_000),
    "text.png": lambda: png(64, 64, extra=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(256 * MIB), 9))),
    "profile.png": lambda: png(64, 64, extra=chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(256 * MIB), 9))),
    "lossless.webp": lambda: saved(Image.new("RGB", (8000, 8000)), "WEBP", lossless=True, method=0),
    "claims_much.webp": lambda: webp_of_size_only(16_384, 16_384),
    "moves.webp": lambda: saved(photo(64, 64), "WEBP", save_all=True, append_images=[photo(64, 64, 1)]),
    "frames.gif": lambda: gif(frames=100_000),
    "comments.gif": lambda: gif(comment=MIB),
    "claims_much.gif": lambda: gif(side=65_000),
    "claims_much.bmp": lambda: bmp_of_size_only(60_000),
    "rubbish.heic": lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + np.random.default_rng(0).bytes(MIB),
    "rubbish.avif": lambda: b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + np.random.default_rng(0).bytes(MIB),
    "large.avif": lambda: saved(Image.new("RGB", (5200, 5200)), "AVIF", speed=10, quality=10),
}  # fmt: skip
