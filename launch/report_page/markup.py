"""Pieces of HTML. All text from files passes through `text`."""

from html import escape

from .chart import COLOURS


def text(value):
    return escape(str(value))


def section(title, *parts):
    """A heading and what is below it; nothing where nothing is."""
    content = "".join(parts)
    return f"<section><h2>{text(title)}</h2>{content}</section>" if content else ""


def figure(title, content, below=""):
    """A card with a chart or a picture; nothing without one. title: HTML."""
    return f"<figure><figcaption>{title}</figcaption>{content}{below}</figure>" if content else ""


def cards(figures, kind="wide"):
    """Figures side by side as the page's width permits. kind: wide or narrow."""
    content = "".join(figures)
    return f'<div class="cards {kind}">{content}</div>' if content else ""


def swatch(colour, kind="c"):
    return f'<span class="swatch {kind}{colour % COLOURS}"></span>'


def run_title(runs, run):
    """A run's name, with its colour where there are several."""
    mark = swatch(runs.index(run)) if len(runs) > 1 else ""
    return f'<span class="name">{mark}<span>{text(run.name)}</span></span>'


def legend(entries):
    """entries: HTML."""
    return '<p class="legend">' + "".join(f"<span>{entry}</span>" for entry in entries) + "</p>"


def table(header, rows, label, kind=""):
    """A table that scrolls in its box. Cells are HTML, the first of a row its heading; a row may be a pair of a class and
    its cells."""
    head = "".join(f'<th scope="col">{cell}</th>' for cell in header)
    body = ""
    for row in rows:
        mark, cells = row if isinstance(row, tuple) else ("", row)
        body += (f'<tr class="{mark}">' if mark else "<tr>") + f'<th scope="row">{cells[0]}</th>'
        body += "".join(f"<td>{cell}</td>" for cell in cells[1:]) + "</tr>"
    return (f'<div class="scroll" tabindex="0" role="region" aria-label="{text(label)}"><table class="{kind}">'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>")
