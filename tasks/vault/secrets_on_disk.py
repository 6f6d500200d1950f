"""Writes a secret to a file that only its owner reads, whole or not at all, and never over another one."""

import os
from pathlib import Path


def create_secret(path: Path, content: bytes) -> None:
    """Write a secret file; when two processes race, the first one's content stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    with open(part, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(part, path)  # unlike a rename, a link never replaces what is there
    except FileExistsError:
        return
    finally:
        part.unlink()
