"""One call from a person and a shot to a picture with its truth. Same inputs, same picture, on one machine."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthetic.painter import develop, engine, truth
from synthetic.painter.backgrounds import backdrop, room
from synthetic.painter.caption import describe
from synthetic.painter.capture import Capture
from synthetic.painter.identity import Identity
from synthetic.painter.kernels import PARTS
from synthetic.painter.parameters import row

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Painting:
    """A picture and everything known about it. Masks and alpha float32 (h, w) 0..1; boxes and points in pixels."""

    picture: Picture
    alpha: Floats
    masks: dict[str, Floats]  # skin, eyes, hair, clothes, glasses, cover, things, background: they add up to one
    face_box: tuple[float, float, float, float]
    landmarks: Floats  # (5, 2)
    light_direction: tuple[float, float, float]
    caption: str
    identity: Floats
    foreground: Floats  # linear rgb times alpha: other backgrounds cost nothing
    view: npt.NDArray[np.float64]  # (2, 3) image plane → pixels
    kind: str


def scenery(capture: Capture, size: int, view: npt.NDArray[np.float64] | None = None) -> Floats:
    """The background in linear light, turned and zoomed with the frame."""
    if capture.kind == "studio":
        return backdrop(capture.background, capture.background_seed, size)
    turn, zoom = 0.0, 1.0
    if view is not None:
        usual = truth.natural_view(capture, size)
        turn = float(np.arctan2(-view[1, 0], view[0, 0]))
        zoom = float(np.clip(np.hypot(view[0, 0], view[1, 0]) / usual[0, 0], 0.6, 1.6))
    return np.asarray(
        room(capture.background, capture.background_seed, size, turn, zoom) * np.float32(capture.exposure), np.float32
    )


def compose(foreground: Floats, alpha: Floats, capture: Capture, view: npt.NDArray[np.float64]) -> Picture:
    behind = scenery(capture, alpha.shape[0], view)
    linear = np.asarray(foreground + behind * (1 - alpha)[..., None], np.float32)
    return develop.finish(linear, capture.noise, capture.blur, capture.background_seed)


def paint(
    person: Identity,
    capture: Capture,
    size: int,
    supersample: float = 1.0,
    frame: str = "natural",
    view: npt.NDArray[np.float64] | None = None,
) -> Painting:
    """`frame`: "natural" as the photographer chose, "aligned" as `truth.PORTRAIT_TEMPLATE`; or an explicit `view`."""
    if view is None:
        view = truth.aligned_view(person, capture, size) if frame == "aligned" else truth.natural_view(capture, size)
    fine = round(size * supersample)
    fine_view = view * (fine / size)
    eye = truth.camera_eye(capture)
    light = engine.trace_rays(
        row(person.numbers, capture.numbers),
        eye.astype(np.float32),
        truth.rays(fine_view).astype(np.float32),
        fine,
        fine,
    )
    pixels_per_unit = float(np.hypot(fine_view[0, 0], fine_view[1, 0]) / eye[2])
    linear = develop.shrink(develop.foreground(light, pixels_per_unit), size) * np.float32(capture.exposure)
    masks = {name: develop.shrink((light.part == code).astype(np.float32), size) for code, name in enumerate(PARTS)}
    alpha = develop.shrink((light.part >= 0).astype(np.float32), size)
    masks["background"] = np.asarray(1 - alpha, np.float32)
    landmarks, box = truth.face_truth(person, capture, view)
    return Painting(
        picture=compose(linear, alpha, capture, view),
        alpha=alpha,
        masks=masks,
        face_box=box,
        landmarks=landmarks.astype(np.float32),
        light_direction=capture.light_direction,
        caption=capture.caption(describe(person)),
        identity=person.vector(),
        foreground=linear,
        view=view,
        kind=capture.kind,
    )
