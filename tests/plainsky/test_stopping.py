"""A stop is clean and quick also while the database is away (issue: clean stop within 5 s)."""

from collections.abc import Callable

from tests.support.programs import Service, free_port, wait_until

CONFIG = """
[service]
hostname = "localhost:@PORT@"
port = @PORT@

[ingest]
source = "firehose"
hosts = ["ws://127.0.0.1:{port}"]

[[feeds]]
rkey = "all"
name = "All"
[[feeds.include]]
kind = "language"
any = ["en"]
"""


def test_it_ends_within_five_seconds_while_the_database_is_away(service: Callable[..., Service], postgresql_url: str) -> None:
    import psycopg

    running = service(CONFIG.format(port=free_port()), env={"PLAINSKY_STORE_URL": postgresql_url})
    server, name = postgresql_url.rsplit("/", 1)
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            wait_until(lambda: running.get("/_health")[0] == 503, 10, "health says that the database is away")

            assert running.program.stop(5) == 0
        finally:
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    assert "Traceback" not in running.logs
