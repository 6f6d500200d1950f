"""The model hub, or a mirror of it: what a repository holds, and one file of it. Its client's many errors become one.

Huggingface's own client does the asking: redirects, its own retries, and the login that a gated repository asks for
(`hf auth login`, or the variable HF_TOKEN).
"""

import errno
from dataclasses import dataclass
from pathlib import Path

from tasks.failures import RollcallError
from tasks.vault.files import make_folders, put_in_place

HALF = ".half"  # how the name of a file ends that has not wholly come


@dataclass(frozen=True)
class RemoteFile:
    """One file as the hub lists it: `sha256` for large files, git's name for small ones."""

    size: int
    sha256: str | None = None
    blob: str | None = None


class HubFault(RollcallError):
    """The hub could not be asked; the message says why, and what to do."""


class Hub:
    """One repository at one revision."""

    def __init__(self, repository: str, revision: str, mirror: str | None = None) -> None:
        if mirror is not None and not mirror.startswith(("http://", "https://")):
            raise HubFault("an address of a mirror begins with https:// (or http://).")
        self.repository, self.revision, self.mirror = repository, revision, mirror and mirror.rstrip("/")

    def files(self) -> dict[str, RemoteFile]:
        """Everything in it."""
        from huggingface_hub import HfApi

        try:
            asked = HfApi(endpoint=self.mirror).model_info(
                self.repository, revision=self.revision, files_metadata=True, timeout=60
            )
        except Exception as fault:
            raise self._sentence(fault) from fault
        listed = {}
        for one in asked.siblings or []:
            if one.size is None:
                raise HubFault("the mirror does not say how long its files are. Use another, or --from FOLDER.")
            listed[one.rfilename] = RemoteFile(one.size, one.lfs.sha256 if one.lfs else None, one.blob_id)
        return listed

    def here(self, name: str, remote: RemoteFile, folder: Path) -> int:
        """How many bytes of a file that has not wholly come lie there, and need not come again."""
        half = self._half(name, remote, folder)
        return half.stat().st_size if half.is_file() else 0

    def _half(self, name: str, remote: RemoteFile, folder: Path) -> Path:
        target = folder / name
        return target.with_name(f".{target.name}.{(remote.sha256 or remote.blob or self.revision)[:12]}{HALF}")

    def fetch(self, name: str, remote: RemoteFile, folder: Path) -> None:
        """One file into its place below `folder`.

        A half one lies beside it under the name of what it will be, and is gone on with: huggingface's own
        `hf_hub_download` throws it away, which at ten gigabytes is an evening.
        """
        from huggingface_hub import hf_hub_url
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        target, half = folder / name, self._half(name, remote, folder)
        make_folders(target.parent, mode=0o777)
        if half.exists() and half.stat().st_size > remote.size:
            half.unlink()  # of the very length: a kill came between the last byte and the name
        try:
            with half.open("ab") as file:
                http_get(
                    hf_hub_url(self.repository, name, revision=self.revision, endpoint=self.mirror), file,
                    resume_size=file.tell(), headers=build_hf_headers(), expected_size=remote.size,
                )  # fmt: skip
        except Exception as fault:
            raise self._sentence(fault) from fault
        put_in_place(half, target)

    def _sentence(self, fault: Exception) -> HubFault:
        from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, OfflineModeIsEnabled, RepositoryNotFoundError

        page = f"https://huggingface.co/{self.repository}"
        if isinstance(fault, GatedRepoError):
            return HubFault(
                f"it has a gate. Accept the licence at {page} with your account, then `hf auth login`, then try again."
            )
        if isinstance(fault, RepositoryNotFoundError):
            return HubFault(f"it is not there, or not open to you ({page}); a private one wants `hf auth login` first.")
        if isinstance(fault, OfflineModeIsEnabled):
            return HubFault("the variable HF_HUB_OFFLINE forbids every request; unset it, or use --from FOLDER.")
        if isinstance(fault, OSError) and fault.errno == errno.ENOSPC:
            return HubFault("the disk is full. Make room and try again; what came is kept.")
        answer = fault.response.status_code if isinstance(fault, HfHubHTTPError) else type(fault).__name__
        return HubFault(
            f"the connection broke or was refused ({answer}). What came is kept: the same command goes on from there. "
            "Without a way to the hub, use --mirror ADDRESS or --from FOLDER."
        )
