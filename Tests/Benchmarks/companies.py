# SPDX-License-Identifier: Apache-2.0
"""Companies to measure with: twelve columns, the same for the same number of rows every time."""

import csv
import os
import random
import sqlite3

COLUMNS = [
    ("id", "INTEGER PRIMARY KEY", "integer"),
    ("customer_key", "TEXT", "text"),
    ("name", "TEXT NOT NULL", "text"),
    ("website", "TEXT", "text"),
    ("address", "TEXT", "text"),
    ("notes", "TEXT", "text"),
    ("segment", "TEXT", "text"),
    ("employees", "INTEGER", "integer"),
    ("arr_eur", "DECIMAL(14,2)", "decimal"),
    ("tier", "TEXT", "text"),
    ("customer_since", "DATE", "date"),
    ("updated_at", "TIMESTAMP", "timestamp"),
]
WORDS = (
    "Nordic Harbour Quartz Lumen Atlas Copper Meridian Silent Rapid Alpine Coastal Ember Granite Hollow Iron Juniper "
    "Kestrel Larch Maple Nimbus Orchard Prairie Quarry Ridge Summit Timber Umber Valley Willow Zephyr Café Österberg"
).split()
NOTES = [
    'Calls their product "the box".', "Two sites.\nSecond one in the port.", "Pays late, but pays.",
    'Said: "no mail before 10", twice.\nThen: "call".', "Renewal in spring; ask for the new contact, please.",
]


def rows(count):
    """The rows as tuples of text, int and None."""
    rng = random.Random(20_260_101)
    for number in range(1, count + 1):
        name = f"{rng.choice(WORDS)} {rng.choice(WORDS)} {rng.choice(('GmbH', 'AB', 'Ltd, London', 'Sons', 'SpA'))}"
        month, day = rng.randrange(1, 13), rng.randrange(1, 29)
        yield (
            number,
            f"C-{number:08d}",
            name,
            None if rng.random() < 0.1 else f"https://{rng.choice(WORDS).lower()}-{number}.example",
            None if rng.random() < 0.2 else f"{rng.randrange(1, 200)} {rng.choice(WORDS)} Street, {rng.choice(WORDS)}",
            None if rng.random() < 0.4 else rng.choice(NOTES),
            rng.choice(("SMB", "Mid", "Enterprise")),
            None if rng.random() < 0.1 else rng.randrange(1, 90_000),
            f"{rng.randrange(0, 100_000_000) / 100:.2f}",
            rng.choice(("gold", "silver", "bronze", "none")),
            f"{rng.randrange(1990, 2026)}-{month:02d}-{day:02d}",
            f"2025-{month:02d}-{day:02d} {rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}",
        )


def make(folder, count):
    """Writes `companies_COUNT.csv` and `companies_COUNT.db` where they are missing; returns both paths."""
    text = os.path.join(folder, f"companies_{count}.csv")
    database = os.path.join(folder, f"companies_{count}.db")
    if os.path.exists(text) and os.path.exists(database):
        return text, database
    with open(text + ".part", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([name for name, _, _ in COLUMNS])
        writer.writerows(rows(count))
    if os.path.exists(database):
        os.remove(database)
    connection = sqlite3.connect(database)
    columns = ", ".join(f"{name} {declared}" for name, declared, _ in COLUMNS)
    connection.execute(f"CREATE TABLE companies ({columns})")
    connection.executemany(f"INSERT INTO companies VALUES ({', '.join('?' * len(COLUMNS))})", rows(count))
    connection.commit()
    connection.close()
    os.rename(text + ".part", text)
    return text, database
