# SPDX-License-Identifier: Apache-2.0
"""What the peers that are Python modules are asked to do; started as a program of its own for each measurement."""

import sys


def duckdb_csv(path):
    """Parses the file with its types on one thread and makes a table of what was parsed."""
    import duckdb

    connection = duckdb.connect(config={"threads": 1})
    connection.execute(
        "CREATE TABLE companies AS SELECT * EXCLUDE (updated_at) FROM read_csv(?, header=true, quote='\"', "
        "escape='\"', "
        "columns={'id': 'BIGINT', 'customer_key': 'VARCHAR', 'name': 'VARCHAR', 'website': 'VARCHAR', "
        "'address': 'VARCHAR', 'notes': 'VARCHAR', 'segment': 'VARCHAR', 'employees': 'INTEGER', "
        "'arr_eur': 'DECIMAL(14,2)', 'is_active': 'BOOLEAN', 'customer_since': 'DATE', 'updated_at': 'TIMESTAMPTZ'})",
        [path])
    print(connection.execute("SELECT count(*) FROM companies").fetchone()[0], "rows")


def polars_csv(path):
    import polars

    frame = polars.read_csv(path, schema={
        "id": polars.Int64, "customer_key": polars.String, "name": polars.String, "website": polars.String,
        "address": polars.String, "notes": polars.String, "segment": polars.String, "employees": polars.Int32,
        "arr_eur": polars.Decimal(14, 2), "is_active": polars.Boolean, "customer_since": polars.Date,
        "updated_at": polars.String})
    print(frame.height, "rows")


def start(name):
    """The start of Python and the import; of DuckDB also a connection."""
    if name == "duckdb":
        import duckdb

        duckdb.connect(config={"threads": 1}).execute("SELECT 1")
    else:
        import polars

        polars.DataFrame({"one": [1]})


def dlt_bodies(conninfo, query, folder):
    """A server-side cursor into files of JSON lines, as dlt's guide shows it."""
    import dlt
    import psycopg2
    from dlt.destinations import filesystem

    @dlt.resource(name="companies", write_disposition="replace")
    def companies():
        connection = psycopg2.connect(conninfo)
        cursor = connection.cursor("bench")
        cursor.itersize = 10_000
        cursor.execute(query)
        names = None
        while rows := cursor.fetchmany(10_000):
            names = names or [column.name for column in cursor.description]
            yield [dict(zip(names, row)) for row in rows]
        connection.close()

    pipeline = dlt.pipeline(
        "bench", destination=filesystem(bucket_url=f"file://{folder}/dlt"), dataset_name="bench",
        pipelines_dir=f"{folder}/dlt-pipelines", dev_mode=False)
    print(pipeline.run(companies(), loader_file_format="jsonl"))


def main(words):
    if words[0] == "duckdb-csv":
        duckdb_csv(words[1])
    elif words[0] == "polars-csv":
        polars_csv(words[1])
    elif words[0] in ("duckdb-start", "polars-start"):
        start(words[0].split("-")[0])
    elif words[0] == "dlt-bodies":
        dlt_bodies(*words[1:])
    else:
        sys.exit(f"no such peer: {words[0]}")


if __name__ == "__main__":
    main(sys.argv[1:])
