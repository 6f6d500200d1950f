"""A browser's form whose files are sealed while they arrive; the framework would put them into a folder in clear."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import FormData
from starlette.formparsers import MultiPartParser
from starlette.requests import Request

from tasks.vault.sealed_spool import SealedSpool


class _Parser(MultiPartParser):
    """Starlette's, with files that are sealed where its own would lie in a temporary folder in clear."""

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        if (upload := self._current_part.file) is not None:
            upload.file.close()
            upload.file = SealedSpool()  # type: ignore[assignment]


@asynccontextmanager
async def sealed_form(request: Request, *, max_files: int, max_fields: int) -> AsyncIterator[FormData]:
    """A form with files; MultiPartException when it did not arrive whole. Its files are gone afterwards."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        async with request.form(max_files=0, max_fields=max_fields) as form:
            yield form
        return
    parser = _Parser(request.headers, request.stream(), max_files=max_files, max_fields=max_fields)
    form = await parser.parse()
    try:
        yield form
    finally:
        await form.close()
