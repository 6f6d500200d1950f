"""Blobs as files below one folder: what keeps the blob store's promises by default."""

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tasks.vault.blobs import Refusal, Remnant, checked_key, checked_prefix
from tasks.vault.failures import MissingBlob, StoreFault
from tasks.vault.files import replace_file, sync_folder


class FolderBlobs:
    """Blobs as files below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, key: str, chunks: Iterable[bytes]) -> None:
        try:
            replace_file(self.root / checked_key(key), chunks)
        except OSError as error:
            raise StoreFault(f"errno_{error.errno}", "put") from error

    def get(self, key: str) -> bytes:
        try:
            return (self.root / checked_key(key)).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise MissingBlob(key) from error
        except OSError as error:
            raise StoreFault(f"errno_{error.errno}", "get") from error

    def exists(self, key: str) -> bool:
        return (self.root / checked_key(key)).is_file()

    def keys(self, prefix: str) -> Iterator[str]:
        return iter(sorted(remnant.key for remnant in self.remains(prefix) if remnant.what == "blob"))

    def remains(self, prefix: str) -> list[Remnant]:
        found: list[Remnant] = []
        pending = [self.root / checked_prefix(prefix)]
        while pending:
            try:
                entries = list(os.scandir(pending.pop()))
            except (FileNotFoundError, NotADirectoryError):
                continue
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(Path(entry.path))
                    continue
                what = "part" if entry.name.startswith(".") else "blob"
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                changed = datetime.fromtimestamp(status.st_mtime, UTC)
                key = os.path.relpath(entry.path, self.root)
                found.append(Remnant(key, what, size=status.st_size, changed=changed))
        return found

    def erase(self, prefix: str) -> list[Refusal]:
        return _erase_tree(self.root / checked_prefix(prefix), self.root)

    def erase_keys(self, keys: Sequence[str]) -> list[Refusal]:
        return self._unlink([checked_key(key) for key in keys])

    def erase_remnants(self, remnants: Sequence[Remnant]) -> list[Refusal]:
        return self._unlink([remnant.key for remnant in remnants])

    def _unlink(self, keys: Sequence[str]) -> list[Refusal]:
        refused = []
        for key in keys:
            try:
                (self.root / key).unlink(missing_ok=True)
            except NotADirectoryError:
                continue
            except OSError as error:
                refused.append(Refusal(Remnant(key, "blob"), f"errno_{error.errno}"))
        return refused

    def settle(self) -> None:
        # Journalling file systems write their journal in order: syncing the top makes every earlier unlink durable.
        sync_folder(self.root)


def _erase_tree(folder: Path, root: Path) -> list[Refusal]:
    """Unlink everything below, never following a link. A file that vanishes meanwhile is no failure."""
    refused: list[Refusal] = []
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return refused
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                refused += _erase_tree(Path(entry.path), root)
            else:
                os.unlink(entry.path)
        except FileNotFoundError:
            continue
        except OSError as error:
            what = "part" if entry.name.startswith(".") else "blob"
            refused.append(Refusal(Remnant(os.path.relpath(entry.path, root), what), f"errno_{error.errno}"))
    if folder != root and not refused:
        try:
            folder.rmdir()
        except OSError:  # a writer put something in meanwhile: the verification that follows will see it
            return refused
    return refused
