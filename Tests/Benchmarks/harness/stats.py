# SPDX-License-Identifier: Apache-2.0
"""Numbers about samples: medians, spreads, ratios of rounds, and what a target says to them. Pure functions."""

import statistics


def median(samples, name):
    return statistics.median(sample[name] for sample in samples)


def summary(samples):
    """Median, least and greatest of wall time, CPU time and peak memory."""
    result = {"rounds": len(samples)}
    for name in ("wall", "cpu", "user", "system", "rss_mib"):
        values = [sample[name] for sample in samples]
        result[name] = {"median": statistics.median(values), "min": min(values), "max": max(values)}
    return result


def ratio(above, below, name, less=0.0):
    """The median, least and greatest of the ratios round by round: what disturbs a round disturbs both.

    `less` is taken off the divisor, and leaves at least a thousandth of it.
    """
    if not above or not below:
        return None
    values = [
        a[name] / max(b[name] - less, b[name] / 1000, 1e-9)
        for a, b in zip(above, below)
    ]
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def verdict(is_met):
    return {None: "-", True: "PASS", False: "MISS"}[is_met]


def least_seconds(requests, burst, window, latency):
    """The shortest time in which a rolling window lets so many requests through and be answered."""
    if requests == 0:
        return 0.0
    return window * (-(-requests // burst) - 1) + latency


def least_tokens(rows, changed, records, costs):
    """The fewest tokens for updating rows by id whose records are at the destination and unknown to us: `(tokens,
    strategy)`.

    The strategies that exist: send all unseen; read all by ids, in groups and one by one; read the whole list. The list
    is left out where nobody knows how many records there are: `records` is None. Who reads sends what has changed.
    """
    write, one, ids, ids_max, page, page_max = (
        costs[name] for name in ("write", "one", "ids", "ids_max", "page", "page_max"))
    groups, rest = divmod(rows, ids_max)
    options = [
        (write * rows, "send all"),
        (min(ids, one * ids_max) * groups + min(ids, one * rest) + write * changed, "read by ids"),
    ]
    if records is not None:
        options.append((page * -(-records // page_max) + write * changed, "list all"))
    return min(options)


def scale(times, rows):
    """How much more time a row takes with the more rows: 1 is linear."""
    (few, many), (few_rows, many_rows) = times, rows
    return (many / many_rows) / (few / few_rows) if few > 0 else None


def amount(value, unit=""):
    """A number for people: three digits that count."""
    if value is None:
        return "-"
    size = abs(value)
    digits = 0 if size >= 100 or size == 0 else 1 if size >= 10 else 2 if size >= 0.1 else 4
    text = f"{value:,.{digits}f}"
    return f"{text} {unit}" if unit else text
