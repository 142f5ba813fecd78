"""Numbers as pictures and pages say them."""

import math


def power(exponent):
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def number(value, digits=5):
    """12,346 or 1.2346 or 1.2346·10⁻⁶; a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    if abs(value) >= 10 ** max(digits - 1, 4):
        text = f"{value:,.0f}"
    else:
        mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
        text = f"{mantissa}·{power(int(exponent))}" if exponent else mantissa
    return text.replace("-", "−")


def percent(value, digits=2):
    return f"{100 * value:.{digits}f}\u00a0%" if math.isfinite(value) else "–"


def duration(seconds):
    if not math.isfinite(seconds):
        return "–"
    if seconds < 100:
        return f"{number(seconds, 3)} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def enumeration(names):
    """a, b and c."""
    names = list(names)
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def amount(count, what):
    """1 rank, 2 ranks."""
    return f"{count} {what}{'' if count == 1 else 's'}"
