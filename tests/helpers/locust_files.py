"""Both of Locust's CSV files, made from what was called: levels of users, and each name's rate, latency and failures."""

import csv

PERCENTILES = [50, 66, 75, 80, 90, 95, 98, 99, 100]
STATS = ["Type", "Name", "Request Count", "Failure Count", "Median Response Time", "Average Response Time"]
STATS += ["Min Response Time", "Max Response Time", "Average Content Size", "Requests/s", "Failures/s"]
TOTALS = ["Total Request Count", "Total Failure Count", "Total Median Response Time", "Total Average Response Time"]
TOTALS += ["Total Min Response Time", "Total Max Response Time", "Total Average Content Size"]


class Names(dict):
    """(type, name) -> [requests, failures, total ms] so far."""

    def sums(self):
        return [sum(column) for column in zip(*self.values(), strict=True)] if self else [0, 0, 0.0]


def write_files(
    prefix, calls, levels, full=True, columns=PERCENTILES, start=1_700_000_000, delimiter=",", encoding="utf-8"
):
    """`calls`: (type, name, per second and user, ms, share that fails); `levels`: (users, seconds). A row a second."""
    percents = [f"{p}%" for p in columns]
    names, second = Names({call[:2]: [0, 0, 0.0] for call in calls}), start
    with open(f"{prefix}_stats_history.csv", "w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["Timestamp", "User Count", "Type", "Name", "Requests/s", "Failures/s", *percents, *TOTALS])
        for users, held in levels:
            for _ in range(held):
                for kind, name, rate, ms, fails in calls:
                    entry = names[kind, name]
                    entry[0] += rate * users
                    entry[1] += rate * users * fails
                    entry[2] += rate * users * ms
                rows = [*names.items()] if full else []
                for key, (n, f, ms) in [*rows, (("", "Aggregated"), names.sums())]:
                    mean = ms / n if n else 0.0
                    own = [round(mean)] * len(percents) if n else ["N/A"] * len(percents)
                    # the median and maximum of all are far from the recent ones
                    writer.writerow([second, users, *key, 0, 0, *own, int(n), int(f), mean / 3, mean, 1, 9 * mean, 2])
                second += 1
    write_stats(prefix, names, second - start, percents, delimiter, encoding)
    return prefix


def write_stats(prefix, names, seconds, percents, delimiter=",", encoding="utf-8"):
    with open(f"{prefix}_stats.csv", "w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow([*STATS, *percents])
        for key, (n, f, ms) in [*names.items(), (("", "Aggregated"), names.sums())]:
            mean = ms / n if n else 0.0
            row = [*key, int(n), int(f), mean, mean, 1, mean, 2, n / seconds, f / seconds]
            writer.writerow(row + ([round(mean)] * len(percents) if n else ["N/A"] * len(percents)))
