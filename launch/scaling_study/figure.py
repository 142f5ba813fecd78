"""scaling.svg and scaling.png: tables for launch/gnuplot/scaling.gp, which draws."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from .failure import Failure
from .machine import REPOSITORY
from .report import promises_equal_weights, statement
from .statistics import disagreement, is_weak
from .table import amount

PARTS = REPOSITORY / "launch/gnuplot"


def require_gnuplot():
    if not shutil.which("gnuplot"):
        raise Failure(2, "gnuplot is not installed; launch/install-deps --plots installs it")


def quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


def curve_row(result):
    """Workers, speed-up and its ends, efficiency in percent and its ends."""
    efficiency = result.efficiency.times(100) if result.efficiency else [float("nan")] * 3
    return [result.point.workers, *result.speed_up, *efficiency]


def curves_of(results):
    """(name, rows of the points that scale, of the others, of what was predicted) of each number of threads."""
    for threads in sorted({result.point.threads for result in results}):
        own = [result for result in results if result.point.threads == threads and result.speed_up]
        scaling = [curve_row(result) for result in own if not result.oversubscribed]
        crowded = [curve_row(result) for result in own if result.oversubscribed]
        predicted = [
            [result.point.workers, result.speed_up.value / (1 + result.prediction_error)]
            for result in own if result.predicted
        ]  # fmt: skip
        yield f"{amount(threads, 'thread')} a rank", scaling, crowded, predicted


def bars_of(results):
    """Label, percent of compute, wait, transfer and rest, seconds, whether oversubscribed."""
    for result in sorted(results, key=lambda result: result.point):
        shares = [100 * seconds / result.seconds.value for seconds in result.split]
        yield [f"{result.point.ranks}×{result.point.threads}", *shares, result.seconds.value, int(result.oversubscribed)]


def write_table(path, rows):
    """A table without rows gets one that shows nothing."""
    lines = [",".join(f"{x:.9g}" if isinstance(x, float) else str(x) for x in row) for row in rows]
    path.write_text("\n".join(lines or [",".join(["nan"] * 7)]) + "\n", encoding="utf-8")


def draw(folder, runs, results, study):
    require_gnuplot()
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        curves = list(curves_of(results))
        facts = [f"n = {len(curves)}"]
        for i, (name, scaling, crowded, predicted) in enumerate(curves, start=1):
            write_table(work / f"curve.{i}", scaling)
            write_table(work / f"crowded.{i}", crowded)
            write_table(work / f"predicted.{i}", predicted)
            facts.append(f"name_{i} = {quoted(name)}")
        write_table(work / "bars", bars_of(results))
        workers = sorted({result.point.workers for result in results})
        scaling = [result.point.workers for result in results if not result.oversubscribed]
        ends = [row[1:] for _, scaling, crowded, _ in curves for rows in (scaling, crowded) for row in rows]
        speeds = [1.0, *(x for row in ends for x in row[:3])]
        facts += [
            f"table(i) = sprintf('{work}/curve.%d', i)",
            f"crowded(i) = sprintf('{work}/crowded.%d', i)",
            f"predicted(i) = sprintf('{work}/predicted.%d', i)",
            f"any_predicted = {int(any(result.predicted for result in results))}",
            f"bars = {quoted(work / 'bars')}; bar_count = {len(results)}",
            f"workers = {quoted(' '.join(map(str, workers)))}",
            f"base = {min(scaling, default=1)}; most = {max(scaling, default=1)}",
            f"lowest = {min(speeds)}; highest = {max(speeds + [max(scaling, default=1) / min(scaling, default=1)])}",
            f"efficient = {max((result.efficiency.high * 100 for result in results if result.efficiency), default=100)}",
            f"any_crowded = {int(any(result.oversubscribed for result in results))}",
            f"weak = {int(is_weak(runs))}",
            f"statement = {quoted(statement(runs, study))}",
            f"wrong = {int(promises_equal_weights(study) and bool(disagreement(runs)))}",
        ]
        for ending in ("svg", "png"):
            picture = work / f"scaling.{ending}"
            render(work, ending, picture, facts)
            try:
                shutil.copyfile(picture, folder / picture.name)
            except OSError as error:
                raise Failure(2, f"{folder / picture.name}: cannot be written: {error.strerror}") from None


def render(work, ending, picture, facts):
    commands = work / "commands"
    commands.write_text(
        "\n".join([
            f"format = '{ending}'; output = {quoted(picture)}",
            *facts,
            f"load {quoted(PARTS / 'style.gp')}",
            f"load {quoted(PARTS / 'scaling.gp')}",
            "unset output",
        ]) + "\n", encoding="utf-8",
    )  # fmt: skip
    done = subprocess.run(["gnuplot", commands], capture_output=True, text=True)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip(" ^")]
        raise Failure(2, f"gnuplot could not draw {picture.name}: {lines[-1] if lines else done.returncode}")
