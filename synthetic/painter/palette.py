"""Named colours, in linear light, and the words that captions use for them."""

Rgb = tuple[float, float, float]

# Ten albedos in the order of the Monk scale, chosen to look like its swatches under the studio light used here.
SKIN: tuple[Rgb, ...] = (
    (0.78, 0.565, 0.455),
    (0.745, 0.51, 0.392),
    (0.72, 0.47, 0.345),
    (0.66, 0.41, 0.285),
    (0.56, 0.335, 0.22),
    (0.44, 0.25, 0.158),
    (0.335, 0.182, 0.112),
    (0.24, 0.125, 0.078),
    (0.16, 0.082, 0.051),
    (0.105, 0.055, 0.036),
)
HAIR: dict[str, Rgb] = {
    "black": (0.016, 0.013, 0.012),
    "dark brown": (0.045, 0.026, 0.017),
    "brown": (0.105, 0.056, 0.030),
    "chestnut": (0.15, 0.062, 0.028),
    "auburn": (0.23, 0.066, 0.024),
    "ginger": (0.42, 0.15, 0.045),
    "blonde": (0.50, 0.33, 0.14),
    "dark blonde": (0.27, 0.17, 0.08),
}
IRIS: dict[str, Rgb] = {
    "brown": (0.13, 0.055, 0.022),
    "dark brown": (0.06, 0.027, 0.014),
    "hazel": (0.20, 0.125, 0.04),
    "green": (0.12, 0.19, 0.075),
    "blue": (0.10, 0.22, 0.38),
    "grey": (0.23, 0.27, 0.30),
}
CLOTH: dict[str, Rgb] = {
    "white": (0.78, 0.78, 0.76),
    "grey": (0.30, 0.30, 0.31),
    "black": (0.022, 0.022, 0.025),
    "navy": (0.025, 0.04, 0.11),
    "blue": (0.06, 0.16, 0.42),
    "red": (0.45, 0.035, 0.04),
    "green": (0.05, 0.20, 0.10),
    "beige": (0.55, 0.43, 0.30),
    "charcoal": (0.055, 0.057, 0.065),
    "teal": (0.03, 0.22, 0.23),
    "mustard": (0.55, 0.32, 0.04),
    "burgundy": (0.17, 0.02, 0.04),
    "pink": (0.66, 0.32, 0.36),
    "light blue": (0.36, 0.52, 0.72),
}
BACKDROP: dict[str, Rgb] = {
    "white": (0.86, 0.87, 0.88),
    "light grey": (0.55, 0.56, 0.57),
    "grey": (0.24, 0.245, 0.25),
    "dark grey": (0.065, 0.068, 0.072),
    "navy": (0.018, 0.03, 0.085),
    "blue": (0.05, 0.16, 0.46),
    "light blue": (0.33, 0.52, 0.70),
    "teal": (0.02, 0.24, 0.25),
    "green": (0.06, 0.25, 0.11),
    "burgundy": (0.17, 0.02, 0.045),
    "orange": (0.70, 0.24, 0.04),
    "beige": (0.58, 0.46, 0.34),
    "purple": (0.16, 0.06, 0.32),
    "yellow": (0.80, 0.55, 0.07),
}
SCENES = ("kitchen", "living room", "office", "street", "park", "bedroom", "cafe", "wall")
FRAMES: tuple[Rgb, ...] = (
    (0.015, 0.014, 0.016),
    (0.10, 0.045, 0.02),
    (0.30, 0.20, 0.07),
    (0.05, 0.07, 0.13),
    (0.22, 0.22, 0.23),
)
AIDS: tuple[Rgb, ...] = ((0.45, 0.34, 0.25), (0.30, 0.30, 0.32), (0.05, 0.10, 0.25), (0.02, 0.02, 0.02))
