"""From light to picture: light bleeding under skin, averaging of supersamples, film curve, sensor noise."""

import cv2
import numpy as np
import numpy.typing as npt

from synthetic.painter.engine import Light

Floats = npt.NDArray[np.float32]

# How far light travels under skin, per channel, in units of 10 cm.
BLEED = (0.034, 0.014, 0.008)


def foreground(light: Light, pixels_per_unit: float) -> Floats:
    """Linear rgb (h, w, 3) of the person, black where there is nobody. The key to skin that is not plastic: irradiance
    is blurred inside the skin before it is multiplied by the skin's colour."""
    skin = (light.part == 0).astype(np.float32)
    channels = []
    for i, reach in enumerate(BLEED):
        energy = light.energy[i]
        sigma = reach * pixels_per_unit
        if sigma > 0.35:
            spread = cv2.GaussianBlur(energy * skin, (0, 0), sigma) / (cv2.GaussianBlur(skin, (0, 0), sigma) + 1e-3)
            energy = energy * (1 - skin) + spread * skin
        channels.append(np.clip(light.albedo[i] * energy + light.mirror[i], 0, 4))
    return np.asarray(np.stack(channels, -1) * (light.part >= 0)[..., None], np.float32)


def shrink(array: npt.NDArray[np.float32], size: int) -> Floats:
    """Area average to size x size (2-D or 3-D)."""
    if array.shape[0] == size:
        return array
    return np.asarray(cv2.resize(array, (size, size), interpolation=cv2.INTER_AREA), np.float32)


def film(linear: Floats) -> Floats:
    """Filmic curve (ACES fit) and gamma: 0..1."""
    x = linear * 0.72
    y = (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14)
    return np.asarray(np.clip(y, 0, 1) ** (1 / 2.2), np.float32)


def finish(linear: Floats, noise: float, blur: float, seed: int) -> npt.NDArray[np.uint8]:
    """`blur` in thousandths of the width."""
    sigma = blur / 1000 * linear.shape[1]
    if sigma > 0.25:
        linear = np.asarray(cv2.GaussianBlur(linear, (0, 0), sigma), np.float32)
    picture = film(linear)
    if noise:
        grain = np.random.default_rng(seed).standard_normal(picture.shape, dtype=np.float32)
        picture = picture + grain * np.float32(noise)
    return np.asarray(np.round(np.clip(picture, 0, 1) * 255), np.uint8)
