"""Opens the networks that see, by name: whoever asks for them knows the contract (`faces`) only."""

from __future__ import annotations

from pathlib import Path

from tasks.shipped import SHIPPED
from tasks.vision.faces import Eyes, EyesMissing


def open_eyes(name: str = "embedded", models: Path | None = None) -> Eyes:
    """Open "embedded", which comes with Rollcall, or "opencv", whose files lie in `models` (`Settings.models`).

    Networks are checked against their pinned sha256 and loaded when first used.
    """
    if name == "embedded":
        from tasks.vision.readers.embedded import open_embedded

        return open_embedded(SHIPPED / "base_models" / "eyes")
    if name == "opencv" and models is not None:
        from tasks.vision.readers.opencv import open_opencv

        return open_opencv(models)
    raise EyesMissing(f"no eyes are called {name!r}; there are 'embedded' and (with a folder of models) 'opencv'")
