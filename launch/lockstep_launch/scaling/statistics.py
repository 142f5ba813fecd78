"""From runs to what is said of a point: medians with intervals, speed-up, efficiency, serial fraction."""

from dataclasses import dataclass
from math import comb
from typing import NamedTuple, Optional

from .table import Point

CONFIDENCE = 0.95  # aimed at; few repeats reach less


class Interval(NamedTuple):
    value: float
    low: float
    high: float

    def times(self, factor):
        return Interval(*(factor * x for x in self))


def order_statistics(n):
    """(k, coverage): the interval from the k-th least to the k-th largest of n covers the median of what they were
    drawn from with that probability, 1 - 2 P(Binomial(n, 1/2) < k), whatever the distribution. The narrowest of at
    least CONFIDENCE, else the widest. David, Nagaraja, Order Statistics (2003), 7.1."""

    def coverage(k):
        return 1 - 2 * sum(comb(n, i) for i in range(k)) / 2**n

    k = 1
    while 2 * (k + 1) <= n and coverage(k + 1) >= CONFIDENCE:
        k += 1
    return k, coverage(k)


def middle(values):
    """The one or two in the middle of a sorted list."""
    n = len(values)
    return values[(n - 1) // 2 : n // 2 + 1]


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def median_with_interval(values):
    values = sorted(values)
    k, _ = order_statistics(len(values))
    return Interval(mean(middle(values)), values[k - 1], values[-k])


def quotient(a, b):
    """Of two medians: if both intervals hold, it is between the quotients of their ends."""
    return Interval(a.value / b.value, a.low / b.high, a.high / b.low)


class Split(NamedTuple):
    """Seconds of an epoch, means over the ranks; `rest` is what is neither."""

    compute: float
    wait: float
    transfer: float
    rest: float


def split_of(runs):
    """Of the run or two of the median time, so that it adds up to that."""
    runs = middle(sorted(runs, key=lambda run: run.seconds))
    parts = [mean(getattr(run, part + "_seconds") for run in runs) for part in ("compute", "wait", "transfer")]
    return Split(*parts, max(0.0, mean(run.seconds for run in runs) - sum(parts)))


@dataclass
class Result:
    """Of a point. What needs a base is None where there is none, and where it has no meaning."""

    point: Point
    runs: list
    oversubscribed: bool
    seconds: Interval
    samples_per_second: Interval
    split: Split
    speed_up: Optional[Interval] = None
    efficiency: Optional[Interval] = None
    serial_fraction: Optional[float] = None
    predicted: Optional[float] = None  # seconds of an epoch, the median

    @property
    def prediction_error(self):
        """Relative to what was measured."""
        return self.predicted / self.seconds.value - 1


def karp_flatt(speed_up, p):
    """The serial fraction of Amdahl's law that gives this speed-up on p times the cores. Karp, Flatt, Measuring
    parallel processor performance, Communications of the ACM 33 (1990)."""
    return (1 / speed_up - 1 / p) / (1 - 1 / p)


def is_weak(runs):
    """Whether the batch changes between points."""
    return len({run.batch_size for run in runs}) > 1


def results_of(runs, predictions=()):
    """A result for each point, by cores; and the base, the smallest point that is not oversubscribed, or None."""
    by_point = {}
    for run in runs:
        by_point.setdefault(run.point, []).append(run)
    results = []
    for point in sorted(by_point, key=lambda point: (point.workers, point.ranks)):
        of_point = by_point[point]
        seconds = median_with_interval(run.seconds for run in of_point)
        samples = of_point[0].train_samples
        rate = Interval(samples / seconds.value, samples / seconds.high, samples / seconds.low)
        crowded = any(run.oversubscribed for run in of_point)
        result = Result(point, of_point, crowded, seconds, rate, split_of(of_point))
        told = [prediction.seconds for prediction in predictions if prediction.point == point]
        if told:
            result.predicted = median_with_interval(told).value
        results.append(result)
    base = next((result for result in results if not result.oversubscribed), None)
    for result in results if base else []:
        compare(result, base, is_weak(runs))
    return results, base


def compare(result, base, weak):
    if result is base:
        result.speed_up = result.efficiency = Interval(1.0, 1.0, 1.0)
        return
    result.speed_up = quotient(result.samples_per_second, base.samples_per_second)
    if result.oversubscribed:
        return
    p = result.point.workers / base.point.workers
    result.efficiency = result.speed_up.times(1 / p)
    if p > 1 and not weak:
        result.serial_fraction = karp_flatt(result.speed_up.value, p)


def disagreement(runs):
    """Two runs that trained the same experiment, which is one batch size, and got other weights; None if all agree."""
    first = {}
    for run in runs:
        other = first.setdefault(run.batch_size, run)
        if other.weights_hash != run.weights_hash:
            return other, run
    return None
