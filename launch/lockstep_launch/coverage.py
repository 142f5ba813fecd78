"""Which lines of a folder of sources ran, by gcov's counters. main(SOURCES, BUILD) prints a row per folder."""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path


def reports(build):
    """gcov's reports, as it writes them in JSON: one for each object file under `build` whose code has run or not."""
    notes = sorted(Path(build).resolve().rglob("*.gcno"))
    for first in range(0, len(notes), 20):
        text = subprocess.run(["gcov", "--json-format", "--stdout", *notes[first : first + 20]], cwd=build, check=True,
                              capture_output=True, text=True).stdout
        yield from (json.loads(line) for line in text.splitlines() if line.startswith("{"))


def lines_of(reports, sources):
    """{file under `sources`: {line: whether it ran}}, over all objects that have the line: a header is in many."""
    ran = defaultdict(lambda: defaultdict(bool))
    root = Path(sources).resolve()
    for report in reports:
        for file in report["files"]:
            path = Path(report["current_working_directory"], file["file"]).resolve()
            if path.is_relative_to(root):
                for line in file["lines"]:
                    ran[path.relative_to(root)][line["line_number"]] |= line["count"] != 0
    return ran


def table(ran):
    """Markdown rows: folder, lines with code, those that ran, percent; the last is of all."""
    folders = defaultdict(list)
    for path, lines in ran.items():
        folders[path.parts[0]] += lines.values()
    rows = [(name, len(lines), sum(lines)) for name, lines in sorted(folders.items())]
    rows.append(("all", sum(lines for _, lines, _ in rows), sum(count for _, _, count in rows)))
    return ["| folder | lines | run by tests | |", "|---|---|---|---|",
            *(f"| {name} | {lines} | {count} | {100 * count / lines:.1f} % |" for name, lines, count in rows)]


def main(arguments):
    sources, build = arguments
    ran = lines_of(reports(build), sources)
    if not ran:
        print(f"launch/coverage: {build} has no counters of {sources}: build the preset coverage first", file=sys.stderr)
        return 2
    print("\n".join(table(ran)))
    return 0
