# SPDX-License-Identifier: Apache-2.0
"""The companies as files; `floor companies` makes the rows, the same for the same number every time."""

import os
import shutil
from collections import namedtuple


class Column(namedtuple("Column", "name kind postgres mariadb")):
    """A column of the companies: its type for a CSV connection, and at the servers."""

    def of_text(self, variable):
        """MariaDB's value of what `LOAD DATA` reads."""
        if self.kind == "boolean":
            return f"({variable} = 'true')"
        if self.kind == "instant":
            return f"LEFT({variable}, 19)"
        return f"NULLIF({variable}, '')"


COLUMNS = [
    Column("id", "integer", "bigint", "BIGINT"),
    Column("customer_key", "text", "text", "VARCHAR(40)"),
    Column("name", "text", "text", "VARCHAR(200) NOT NULL"),
    Column("website", "text", "text", "VARCHAR(200)"),
    Column("address", "text", "text", "VARCHAR(200)"),
    Column("notes", "text", "text", "VARCHAR(500)"),
    Column("segment", "text", "text", "VARCHAR(20)"),
    Column("employees", "integer", "integer", "INT"),
    Column("arr_eur", "decimal", "numeric(14,2)", "DECIMAL(14,2)"),
    Column("is_active", "boolean", "boolean", "TINYINT(1)"),
    Column("customer_since", "date", "date", "DATE"),
    Column("updated_at", "instant", "timestamptz", "DATETIME"),
]
# The last column is there to be read past: it is not mapped, and Penstock does not ask a database for it.
MAPPED = [column.name for column in COLUMNS[:-1]]
# CSV, SQLite, two tables at PostgreSQL, one at MariaDB with its log, the states of six syncs; rounded up.
BYTES_PER_ROW = 1_700


def check_disk(folder, rows):
    """Refuses early where the disk has no room for what will be written."""
    needed, free = rows * BYTES_PER_ROW * 11 // 10, shutil.disk_usage(folder).free
    if needed > free - (1 << 30):
        raise SystemExit(
            f"{rows:,} rows need about {needed / 1e9:.1f} GB in {folder} and /tmp, and {free / 1e9:.1f} GB are free.")


class Companies:
    """Files with so many companies, made when they are asked for."""

    def __init__(self, tools, count):
        self.tools, self.count = tools, count
        self.folder = os.path.join(tools.work, "data")
        os.makedirs(self.folder, exist_ok=True)

    def csv(self, every=0):
        """The file; with `every`, each such row is changed."""
        name = f"companies_{self.count}" + (f"_changed_{every}" if every else "")
        path = os.path.join(self.folder, name, "companies.csv")
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path + ".part", "wb") as file:
                self.tools.stream([self.tools.floor, "companies", str(self.count), str(every)], file)
            os.rename(path + ".part", path)
        return path

    def sqlite(self):
        path = os.path.join(self.folder, f"companies_{self.count}", "companies.db")
        if not os.path.exists(path):
            source = self.csv()
            if os.path.exists(path + ".part"):
                os.remove(path + ".part")
            self.tools.run([self.tools.floor, "load-sqlite", source, path + ".part"])
            os.rename(path + ".part", path)
        return path
