"""The end of an uri, by which decisions and labels are found: a post's key, which is the time at which it was written.

By uri each new row would change another page of an index, for its author's DID is random; by the end, the index's right edge.
"""

WIDTH = 13
"""Of a post's key."""


def sql(uri: str) -> str:
    """The SQL of the end of a column, as it stands in the indexes `decision_by_tail` and `label_by_tail`."""
    return f"substr('{' ' * WIDTH}' || {uri}, length({uri}) + 1)"


# Of "uri = ?" SQLite's planner would put the value into the expression, and of a column with a type it believes that it could not be
# compared: either way it would not see the index.
OF_URI = f"{sql('uri')} = ? AND uri || '' = ?"
"""The SQL of a row of one uri, which `key` gives the values for."""
COLUMNS = {"tail": "TEXT", "uri": "TEXT"}
"""Of the table `wanted`, whose rows `key` makes."""


def wanted(table: str) -> str:
    """The SQL of a join of a table with the uris that are wanted of it."""
    return f"wanted JOIN {table} ON {sql(f'{table}.uri')} = wanted.tail || '' AND {table}.uri = wanted.uri"


def among(uris: int) -> str:
    """The SQL of a row of one of so many uris: a list of ends, then one of uris, which costs half of what a join does."""
    marks = ", ".join("?" * uris)
    return f"{sql('uri')} IN ({marks}) AND uri || '' IN ({marks})"


def of(uri: str) -> str:
    """The end of an uri."""
    return uri[-WIDTH:].rjust(WIDTH)


def key(uri: str) -> tuple[str, str]:
    """By what the indexes find an uri."""
    return of(uri), uri
