"""How what a network says over the plane changes from epoch to epoch: a sheet of a few epochs, and the film itself as an animated
file."""

import io

import numpy as np

from .. import colours
from . import boundary, style

SHOWN = 8  # epochs on the sheet
SIDE = 2.1  # inches
SECONDS = 0.2  # of a picture in the animated file; the last one stays for
STAYS = 2.0
DOTS = 6  # pixels of the animated file for each point of the grid
TONES = 63  # colours of the plane in a picture of it


def some(film, most=SHOWN):
    """Places of the sheet's epochs: the first, the last, and between them evenly."""
    count = len(film.planes)
    return sorted({round(i * (count - 1) / (most - 1)) for i in range(most)}) if count > 1 else [0]


def pixels(plane):
    """(rows, columns, 3) bytes, the highest row first, with a dark line where two classes are as likely."""
    image = boundary.background(plane)[::-1]
    return np.rint(255 * image).astype(np.uint8)


def panel(axes, plane, epoch):
    boundary.panel(axes, plane)
    axes.set_title(f"epoch {epoch:g}", fontsize=9, fontweight="normal", pad=4)
    axes.set(xlabel="", ylabel="", xticks=[], yticks=[])


def draw(named):
    """A figure of (name, Film) each: a row for each run."""
    across = max(len(some(film)) for _, film in named)
    across = (across + 1) // 2 if across > 4 else across
    rows = [-(-len(some(film)) // across) for _, film in named]
    heights = [SIDE * count + 0.4 for count in rows]
    figure = style.figure(SIDE * across, sum(heights))
    parts = figure.subfigures(len(named), 1, squeeze=False, height_ratios=heights).flatten()
    for part, (name, film), down in zip(parts, named, rows):
        part.suptitle(style.shortened(f"What the network says where: {name}", SIDE * across - 0.3), fontsize=11.5, fontweight="semibold")
        panels = part.subplots(down, across, squeeze=False).flatten()
        places = some(film)
        for axes, place in zip(panels, places):
            panel(axes, film.planes[place], film.epochs[place])
        for axes in panels[len(places):]:
            axes.remove()
    return figure


def animation(film):
    """The film as a GIF."""
    from PIL import Image, ImageDraw

    pictures = []
    for epoch, plane in zip(film.epochs, film.planes):
        image = Image.fromarray(pixels(plane))
        image = image.resize((DOTS * image.width, DOTS * image.height), Image.BICUBIC)
        picture = image.quantize(TONES, dither=Image.NONE)
        palette = (picture.getpalette() + [0] * 3 * TONES)[: 3 * TONES]
        picture.putpalette(palette + list(colours.bytes_of(style.INK)))  # after the others: few dots have it, and all must
        ImageDraw.Draw(picture).text((6, 5), f"epoch {epoch:g}", fill=TONES)
        pictures.append(picture)
    content = io.BytesIO()
    times = [round(1000 * SECONDS)] * len(pictures)
    times[-1] = round(1000 * STAYS)
    pictures[0].save(content, format="GIF", save_all=True, append_images=pictures[1:], duration=times, loop=0)
    return content.getvalue()
