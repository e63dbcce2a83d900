"""How fast a quantity grows, from noisy measurements, and how sure that is."""

import math
from dataclasses import dataclass
from statistics import median

#: Medians of so many windows are compared: fewer say less, more are not independent of one another.
WINDOWS = 60

#: One-sided 99 % of the normal distribution.
CONFIDENCE = 0.99
Z = 2.326


@dataclass(frozen=True)
class Trend:
    """A slope with the bounds that it lies above, and below, with the confidence CONFIDENCE each; units an hour."""

    slope: float
    low: float
    high: float


def trend(times_s, values):
    """The slope of values over times in seconds: Theil's and Sen's median of all slopes between two windows (Sen 1968),
    which outliers do not bend, with bounds from the variance of Kendall's score. What follows closely upon another
    measurement says little new, so the variance grows with the correlation of neighbours, (1 + r) / (1 - r)."""
    times, values = windows(times_s, values)
    count = len(times)
    if count < 4:
        return Trend(0.0, -math.inf, math.inf)
    pairs = [(late, early) for late in range(count) for early in range(late)]
    slopes = sorted((values[late] - values[early]) / (times[late] - times[early]) for late, early in pairs)
    slope = median(slopes)
    residuals = [value - slope * time for time, value in zip(times, values)]
    r = min(max(correlation(residuals), 0.0), 0.95)
    spread = Z * math.sqrt(count * (count - 1) * (2 * count + 5) / 18 * (1 + r) / (1 - r))
    low, high = round((len(slopes) - spread) / 2), round((len(slopes) + spread) / 2)
    bounds = slopes[low] if low >= 0 else -math.inf, slopes[high] if high < len(slopes) else math.inf
    return Trend(slope * 3600, bounds[0] * 3600, bounds[1] * 3600)


def windows(times, values):
    """Medians of neighbouring measurements, WINDOWS of them at most."""
    size = max(1, math.ceil(len(times) / WINDOWS))
    starts = range(0, len(times) - size + 1, size)
    return [median(times[at : at + size]) for at in starts], [median(values[at : at + size]) for at in starts]


def correlation(values):
    """How much neighbours are alike: -1 to 1."""
    mean = sum(values) / len(values)
    deviations = [value - mean for value in values]
    whole = sum(deviation * deviation for deviation in deviations)
    return sum(one * next_ for one, next_ in zip(deviations, deviations[1:])) / whole if whole else 0.0
