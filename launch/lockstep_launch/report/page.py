"""The page of runs: one HTML file that needs nothing beside itself."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .. import colours
from . import view

FOLDER = Path(__file__).parent


def of(runs):
    """As a text. All that comes from files is escaped."""
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True, keep_trailing_newline=True)  # fmt: skip
    css = (FOLDER / "page.css").read_text(encoding="utf-8")
    return environment.get_template("page.html").render(view.of(runs), css=css, colours=list(colours.names().items()))
