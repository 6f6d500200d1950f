"""Looks at what a picture's header claims, before any decoder sees a byte: format, size, frames, and how much it costs.

Decoders walk headers without an end, and make room for whatever size is claimed. Walking them here is a loop over
segments that stops at a thousand, and the room is counted in bytes as each decoder really takes it.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Literal

from tasks.failures import RollcallError

Format = Literal["JPEG", "PNG", "WEBP", "GIF", "BMP", "HEIF", "AVIF"]

MAX_SEGMENTS = 1_000  # of a header; phones write ten to two hundred
MAX_HEADER = 16 * 2**20  # bytes; depth maps in a header take five
MAX_DECODED = 288 * 2**20  # bytes that a decoder takes: what the sandbox has room for
MAX_SCANNED = 1_200_000_000  # pixels times scans of a JPEG; ordinary progressive ones have about ten scans

# Bytes a pixel while decoding, measured: Pillow keeps colour in four; libwebp makes a canvas, another one and a buffer;
# libheif keeps the planes beside the pixels; dav1d in 10 bits and full colour takes most.
_COST = {"WEBP": 17.0, "GIF": 5.0, "BMP": 4.0, "HEIF": 5.0, "AVIF": 12.0}
_VIDEOS = {b"qt  ", b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV", b"3gp4",
           b"3gp5", b"3gp6", b"3gpp", b"3g2a", b"dash", b"f4v ", b"XAVC"}  # fmt: skip
_VIDEO_BOXES = {b"moov", b"mdat", b"wide", b"skip", b"free", b"pnot"}  # how old QuickTime files begin


class Refused(RollcallError):
    """A file that will not be decoded. Carries a code and numbers, never the file's name or content."""

    def __init__(self, code: str, measured: str, limit: str) -> None:
        super().__init__(f"{code}: {measured} (limit: {limit})")
        self.code = code
        self.measured = measured
        self.limit = limit


@dataclass(frozen=True)
class Glance:
    """What the header says. Sizes are 0 where only the decoder can tell."""

    format: Format
    width: int = 0
    height: int = 0
    bytes_per_pixel: float = 4.0  # of the decoded picture
    coefficients: float = 0.0  # bytes a pixel of the whole JPEG that are kept beside it; 0 when it is read row by row
    ends: bool = True  # False: the file stops without its end mark


def glance(data: bytes) -> Glance:
    """Raises `Refused` for what is no picture, moves, or costs too much by its header."""
    format = format_of(data)
    if format == "JPEG":
        return _jpeg(data)
    if format == "PNG":
        return _png(data)
    if format == "WEBP":
        return _webp(data)
    return Glance(format, bytes_per_pixel=_COST[format])


def format_of(data: bytes) -> Format:
    """By the first bytes: the suffix of a stranger's file says nothing, and no other decoder gets to see it."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith(b"BM"):
        return "BMP"
    brand = data[8:12]
    if data[4:8] == b"ftyp" and brand in (b"avif", b"avis"):
        return "AVIF"
    is_video = (data[4:8] == b"ftyp" and brand in _VIDEOS) or data[4:8] in _VIDEO_BOXES
    if is_video or data.startswith(b"\x1a\x45\xdf\xa3") or (data.startswith(b"RIFF") and data[8:12] == b"AVI "):
        raise Refused("video", "a video", "a photo")
    if data[4:8] == b"ftyp":
        return "HEIF"
    raise Refused("not_a_picture", "unknown format", "JPEG, PNG, WebP or HEIC")


def refuse_size(look: Glance, width: int, height: int, scale: int = 1) -> None:
    """Raises when decoding so many pixels, at 1/scale of each side, takes more than there is room for."""
    pixels = width * height
    cost = look.bytes_per_pixel / scale**2 + look.coefficients
    if pixels * cost > MAX_DECODED:
        most = MAX_DECODED / cost / 1e6
        kind = "HEIC" if look.format == "HEIF" else look.format
        raise Refused("bomb", f"{pixels / 1e6:.0f} megapixels as {kind}", f"{most:.0f}")


def refuse_header(segments: int, size: int) -> None:
    """Raises for headers that are longer than anybody's camera writes."""
    if segments > MAX_SEGMENTS:
        raise Refused("bomb", f"more than {MAX_SEGMENTS} parts in its header", f"{MAX_SEGMENTS}")
    if size > MAX_HEADER:
        raise Refused("bomb", f"a header of {size / 2**20:.0f} MiB", f"{MAX_HEADER // 2**20} MiB")


_MARKER = re.compile(rb"\xff[^\x00\xff]")
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # in a scan FF is followed by 00 or a restart


def _jpeg(data: bytes) -> Glance:
    """Up to the first end mark: the video of a motion photo or a second picture behind it is not looked at."""
    at, segments, header, scans = 2, 0, 0, 0
    frame: bytes = b""
    kind, ends = 0xC0, False
    while found := _MARKER.search(data, at):
        marker, start = data[found.end() - 1], found.end()
        segments += 1 + found.end() - 2 - at  # signs that fill the gap are parts, too: they cost as much time
        if marker == 0xD9:
            ends = True
            break
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            at = start
        else:
            length = int.from_bytes(data[start : start + 2], "big")
            at = start + max(length, 2)
            if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and not frame:
                frame, kind = data[start + 2 : at], marker
            if marker == 0xDA:
                scans += 1
                after = _AFTER_SCAN.search(data, at)
                if after is None:
                    break
                at = after.start()
            else:
                header += length
        refuse_header(segments, header)
    if len(frame) < 9 or not scans:
        raise Refused("truncated", "no picture in it", "a whole picture")
    return _frame(frame, kind, scans, ends)


def _frame(frame: bytes, kind: int, scans: int, ends: bool) -> Glance:
    height, width, count = struct.unpack(">HHB", frame[1:6])
    sampling = [frame[7 + 3 * i] for i in range(count) if 7 + 3 * i < len(frame)]
    if scans * width * height > MAX_SCANNED:
        raise Refused(
            "bomb", f"{scans} scans of {width * height / 1e6:.0f} megapixels", f"{MAX_SCANNED // 10**6} in all"
        )
    parts = [(value >> 4) * (value & 15) for value in sampling] or [1]
    # Two bytes for each sample of each channel are kept when the picture comes in several scans.
    kept = 2 * sum(parts) / max(*parts, 1) if kind not in (0xC0, 0xC1) or scans > 1 else 0.0
    return Glance("JPEG", width, height, 1.0 if count == 1 else 4.0, kept, ends)


def _png(data: bytes) -> Glance:
    at, segments, header = 8, 0, 0
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind == b"acTL":
            raise Refused("animated", "more than 1 frame", "1 frame")
        if kind == b"IEND":
            break
        if kind == b"IDAT":
            # Programs cut the pixels into pieces of 8 KiB and more; empty ones only cost time.
            segments += length < 512
        else:
            segments, header = segments + 1, header + length
        refuse_header(segments, header)
        at += 12 + length
    if data[12:16] != b"IHDR" or len(data) < 29:
        raise Refused("truncated", "no header", "a whole picture")
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    cost = {0: 2.0 if depth == 16 else 1.0, 3: 1.0}.get(colour, 4.0)
    return Glance("PNG", width, height, cost)


def _webp(data: bytes) -> Glance:
    at, segments, header = 12, 0, 0
    width = height = 0
    while at + 8 <= len(data):
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 18]
        if kind == b"ANMF" or (kind == b"VP8X" and body[:1] and body[0] & 0x02):
            raise Refused("animated", "more than 1 frame", "1 frame")
        if kind == b"VP8X" and len(body) == 10:
            width, height = (1 + int.from_bytes(body[i : i + 3], "little") for i in (4, 7))
        elif kind == b"VP8 " and len(body) == 10 and not width:
            width, height = (value & 0x3FFF for value in struct.unpack("<HH", body[6:10]))
        elif kind == b"VP8L" and len(body) >= 5 and not width:
            bits = int.from_bytes(body[1:5], "little")
            width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        segments, header = segments + 1, header + (0 if kind in (b"VP8 ", b"VP8L") else length)
        refuse_header(segments, header)
        at += 8 + length + length % 2
    if not width:
        raise Refused("truncated", "no picture in it", "a whole picture")
    return Glance("WEBP", width, height, _COST["WEBP"])
