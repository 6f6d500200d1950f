"""A model hub on this machine: huggingface's protocol as far as pulling needs it, and its faults.

Large files are announced with their sha256 and served from another address, as the real hub does; small ones come
directly. Faults are set while it runs: `gated` (all, or the files alone, as the real one), `cut` (bytes after which a
file's first answers break off), `wrong` (files whose bytes are others of the right length), `sizes` and `ranges` (what
poor mirrors lack).
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class LoopbackHub:
    """One repository, `tiny/base`, at one revision: the files of a folder."""

    folder: Path
    address: str = ""
    gated: bool = False
    gated_files: bool = False
    sizes: bool = True
    ranges: bool = True
    cut: dict[str, int] = field(default_factory=dict)
    cuts: int = 0  # how many answers still break off
    wrong: set[str] = field(default_factory=set)
    served: list[tuple[str, int]] = field(default_factory=list)  # what was sent in full, and from which byte

    def names(self) -> list[str]:
        return sorted(p.relative_to(self.folder).as_posix() for p in self.folder.rglob("*") if p.is_file())

    def sibling(self, name: str) -> dict[str, object]:
        data = (self.folder / name).read_bytes()
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        entry: dict[str, object] = {"rfilename": name, "blobId": blob}
        entry |= {"size": len(data)} if self.sizes else {}
        if name.endswith(".safetensors"):
            entry["lfs"] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "pointerSize": 134}
        return entry


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: LoopbackHub

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        path = self.path.split("?")[0]
        resolve, cdn = f"/tiny/base/resolve/{REVISION}/", "/cdn/"
        if self.hub.gated or (self.hub.gated_files and path.startswith(resolve)):
            self.reply(403, b"{}", {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted"}, body)
        elif path == f"/api/models/tiny/base/revision/{REVISION}":
            listed = [self.hub.sibling(name) for name in self.hub.names()]
            facts = {"id": "tiny/base", "modelId": "tiny/base", "sha": REVISION, "tags": [], "siblings": listed}
            self.reply(200, json.dumps(facts).encode(), {"Content-Type": "application/json"}, body)
        elif path.startswith(resolve) and (self.hub.folder / path.removeprefix(resolve)).is_file():
            self.resolve(path.removeprefix(resolve), body)
        elif path.startswith(cdn):
            self.send(path.removeprefix(cdn), body, {})
        else:
            self.reply(404, b"{}", {"X-Error-Code": "RepoNotFound"}, body)

    def resolve(self, name: str, body: bool) -> None:
        facts = self.hub.sibling(name)
        lfs = facts.get("lfs")
        headers = {"X-Repo-Commit": REVISION, "ETag": f'"{facts["blobId"]}"'}
        if not isinstance(lfs, dict):
            self.send(name, body, headers)
            return
        headers |= {"X-Linked-Etag": f'"{lfs["sha256"]}"', "X-Linked-Size": str(lfs["size"])}
        elsewhere = self.hub.address.replace("127.0.0.1", "localhost")
        self.reply(302, b"", headers | {"Location": f"{elsewhere}/cdn/{name}"}, body)

    def send(self, name: str, body: bool, headers: dict[str, str]) -> None:
        data = (self.hub.folder / name).read_bytes()
        if name in self.hub.wrong:
            data = data[:-1] + bytes([data[-1] ^ 1])
        span = self.headers.get("Range", "") if self.hub.ranges else ""
        start = int(span.removeprefix("bytes=").split("-")[0]) if span else 0
        rest = data[start:]
        code = 206 if start else 200
        headers |= {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        if body and self.hub.cuts and name in self.hub.cut:
            self.hub.cuts -= 1
            self.reply(code, rest, headers, body, only=self.hub.cut[name])
            self.hub.cut[name] = 0  # and from then on not a byte more
            self.close_connection = True
            return
        if body:
            self.hub.served.append((name, start))
        self.reply(code, rest, headers, body)

    def reply(self, code: int, data: bytes, headers: dict[str, str], body: bool, only: int | None = None) -> None:
        self.send_response(code)
        for key, value in ({"Content-Length": str(len(data))} | headers).items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self.wfile.write(data if only is None else data[:only])


@contextmanager
def serving(folder: Path) -> Iterator[LoopbackHub]:
    """The hub, for as long as the test wants it."""
    hub = LoopbackHub(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Answer", (_Answer,), {"hub": hub}))
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
