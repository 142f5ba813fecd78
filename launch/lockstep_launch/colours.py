"""The one palette of pictures and pages: for each colour its value on white and on a dark page.

LINES are those of Okabe and Ito (2008), which stay apart for the colour-blind, the light ones darkened until they read on white;
PARTS, of a whole, those of Tol (2021).
"""

LINES = [
    ("#0072b2", "#4aa3dd"), ("#d55e00", "#f08642"), ("#009e73", "#2fbf8f"), ("#c0609a", "#e08fbe"),
    ("#c98600", "#e6a824"), ("#3d9fd6", "#8fd0f5"), ("#6b6b6b", "#b0b0b0"), ("#9a8f00", "#e8dc50"),
]  # fmt: skip
PARTS = [("#4477aa", "#6699cc"), ("#ccbb44", "#d8ca5a"), ("#cc6677", "#e08090"), ("#b8bcc4", "#6c7684")]
INK = ("#1c2330", "#e6eaf0")
SOFT = ("#5b6575", "#9aa5b5")  # of what explains
EDGE = ("#dfe3e8", "#323b48")  # of the grid
AXIS = ("#9aa1ac", "#5f6b7a")
PAPER = ("#ffffff", "#1a2029")
WRONG = ("#c8102e", "#ff6b7d")
TARGET = ("#c4c9d1", "#59636f")  # of the curve to be fitted


def line(i):
    """The i-th colour on white, for a run, a class or a number of threads; the ninth is the first again."""
    return LINES[i % len(LINES)][0]


def part(i):
    return PARTS[i % len(PARTS)][0]


def bytes_of(colour):
    """(red, green, blue) from 0 to 255."""
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def paler(colour, share):
    """A mixture with white, of which that share is the colour."""
    return "#" + "".join(f"{round(255 - share * (255 - part)):02x}" for part in bytes_of(colour))


def names():
    """Each colour's name on a page, and its two values."""
    named = {f"c{i}": pair for i, pair in enumerate(LINES)} | {f"t{i}": pair for i, pair in enumerate(PARTS)}
    return named | {"text": INK, "soft": SOFT, "line": EDGE, "axis": AXIS, "card": PAPER, "wrong": WRONG, "target": TARGET}
