"""`rollcall verify`: what any file says about how its picture was made. Needs neither records nor a home of ours."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from flows.cli_home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.disclosure.pattern import MarkKey
    from tasks.vault.settings import Settings

console = Console(highlight=False)
NO_PICTURE = 3  # exit code, beside those of DisclosureVerdict
REFUSED = {"video": "it is a video", "animated": "it moves", "bomb": "it is made to ask for too much"}


def verify(
    files: Annotated[list[Path], typer.Argument(help="Pictures: JPEG, PNG, WebP or AVIF.")],
    trust: Annotated[
        list[Path] | None, typer.Option(help="Root certificates (PEM) to trust besides this installation's own.")
    ] = None,
    home: Home = None,
) -> None:
    """Say what each picture is, who signed it and when, whether it was changed, and what its mark says.

    Exit code: 0 every file says how it was made; 1 one was changed after signing, or contradicts itself; 2 one says
    nothing; 3 one is no picture, or is not there. Works in an empty folder; the mark is looked for where this
    installation's keys are.
    """
    from tasks.disclosure.verify import DisclosureVerdict, examine
    from tasks.vault.settings import load_settings
    from tasks.vision.glance import Refused

    if home is not None:
        os.environ["ROLLCALL_HOME"] = str(home.expanduser().absolute())
    settings = load_settings()
    named = [_read(path) for path in trust or ()]
    if None in named:
        raise typer.Exit(NO_PICTURE)
    roots = b"".join(one for one in named if one) + _own_root(settings)
    codes = {int(DisclosureVerdict.DISCLOSED)}
    with _own_keys(settings) as keys:
        for file in files:
            if (data := _read(file)) is None:
                codes.add(NO_PICTURE)
                continue
            try:
                found = examine(data, keys, roots)
            except Refused as refused:
                why = REFUSED.get(refused.code, "it is none, or cut short")
                console.print(f"{file}: not a picture that can be opened: {why}.", markup=False, soft_wrap=True)
                codes.add(NO_PICTURE)
                continue
            console.print(f"{file}: {' '.join(found.sentences())}", markup=False, soft_wrap=True)
            codes.add(int(found.verdict))
    raise typer.Exit(1 if DisclosureVerdict.CHANGED in codes else max(codes))


def _own_root(settings: Settings) -> bytes:
    from tasks.disclosure.trust import own_root

    return own_root(settings)


@contextmanager
def _own_keys(settings: Settings) -> Iterator[list[MarkKey]]:
    """The mark's key of this installation, or nothing where there is none: none is made for looking."""
    if settings.keys_url is None and not (settings.home / "keys").is_dir():
        yield []
        return
    from tasks.disclosure.installation import mark_key
    from tasks.vault.keys import Keyring

    keyring = Keyring(settings.wrapped_keys_url, settings.master_key_location)
    try:
        yield [mark_key(keyring)]
    finally:
        keyring.close()


def _read(file: Path) -> bytes | None:
    """A file's bytes; None where there are none to be had, which is said: a mistyped name is no file without a mark."""
    try:
        return file.read_bytes()
    except OSError as fault:
        why = {errno.ENOENT: "there is no such file", errno.EISDIR: "a folder; name its files"}.get(fault.errno or 0)
        console.print(f"{file}: {why or 'it cannot be read'}.", markup=False, soft_wrap=True)
        return None
