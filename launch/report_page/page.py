"""The page: its head, its sections in order, and where its runs come from."""

from pathlib import Path

from . import network, results
from .markup import run_title, section, table, text

CSS = Path(__file__).with_name("page.css")


def compared(runs, values, label, only_different=False):
    """A table of keys against runs, with rows that differ marked. values: a dict for each run."""
    keys = list(dict.fromkeys(key for some in values for key in some))
    rows = []
    for key in keys:
        cells = [some.get(key, "–") for some in values]
        different = len(set(cells)) > 1
        if different or not only_different:
            rows.append(("different" if different else "", [text(key)] + [text(cell) or '""' for cell in cells]))
    header = ["key"] + [run_title(runs, run) for run in runs]
    return table(header, rows, label, "keys") if rows else ""


def configuration(runs):
    configs = [run.config for run in runs]
    parts = []
    if len(runs) > 1:
        different = compared(runs, configs, "What is configured differently", only_different=True)
        parts.append(different or "<p>The runs have the same configuration.</p>")
    whole = compared(runs, configs, "The whole configuration")
    parts.append(f"<details><summary>The whole configuration</summary>{whole}</details>" if whole else "")
    return section("What differs in the configuration" if len(runs) > 1 else "Configuration", *parts)


def provenance(runs):
    values = []
    for run in runs:
        summary = run.summary or {}
        values.append({"ranks × threads": results.layout(run) if summary else "–",
                       "weights_hash": run.hash or "not finished", **summary.get("provenance", {})})
    return section("Provenance", compared(runs, values, "Provenance"))


def of(runs):
    """The page of these runs, as HTML."""
    names = results.enumeration(run.name for run in runs) if len(runs) < 4 else f"{len(runs)} runs"
    body = "".join([results.final_metrics(runs), results.curves(runs), network.grids(runs), network.confusions(runs),
                    network.weights(runs), network.notes(runs), results.time(runs), results.gradients(runs),
                    configuration(runs), provenance(runs)])
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>{text(names)} – Lockstep</title>
<style>
{CSS.read_text(encoding="utf-8")}</style>
</head>
<body>
<main>
<header><p>Lockstep, training report</p><h1>{text(names)}</h1></header>
{body}
</main>
</body>
</html>
"""
