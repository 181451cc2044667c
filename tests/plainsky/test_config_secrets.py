"""A secret comes from the environment or a file of its own: in the config it is refused, and never repeated."""

import pytest

from plainsky.config.errors import ConfigErrors
from plainsky.config.hashing import config_hash, without_password
from plainsky.config.loading import parse

GOOD = """
[service]
hostname = "feeds.example.org"
[[labels]]
value = "x-y"
signals = ["gtube"]
"""
KEY = "c0ffee" * 10 + "c0de"


def refusals(lines: str) -> str:
    """The message for a config with these lines."""
    with pytest.raises(ConfigErrors) as caught:
        parse(GOOD + lines)
    return str(caught.value)


@pytest.mark.parametrize(
    ("lines", "where", "secret"),
    [
        pytest.param('[labeler]\nkey = "abc"', "labeler.key", "abc", id="the labeler's key"),
        pytest.param(f'[labeler]\nkey_file = "{KEY}"', "labeler.key_file", KEY, id="a hexadecimal key where a file name belongs"),
        pytest.param(f'[labeler]\nkey_file = "0x{KEY}"', "labeler.key_file", KEY, id="with 0x"),
        pytest.param(f'[labeler]\ndid = "z3vLX{"a" * 42}"', "labeler.did", "z3vL", id="a k256 key as multibase"),
        pytest.param(f'[labeler]\ndid = "z42tt{"a" * 42}"', "labeler.did", "z42t", id="a p256 key as multibase"),
        pytest.param('[log]\nlevel = "-----BEGIN EC PRIVATE KEY-----x"', "log.level", "BEGIN", id="a PEM key"),
        pytest.param('[identity]\npassword = "hunter2"', "identity.password", "hunter2", id="password"),
        pytest.param('[identity]\napp_password = "hunter2"', "identity.app_password", "hunter2", id="app_password"),
        pytest.param('[identity]\nplc = "ab2c-de3f-gh4i-jk5l"', "identity.plc", "ab2c", id="an app password as a value"),
        pytest.param('[identity]\nAPI-Token = "hunter2"', "identity.API-Token", "hunter2", id="token"),
        pytest.param('[identity]\nclient_secret = "hunter2"', "identity.client_secret", "hunter2", id="secret"),
        pytest.param('[labeler]\nprivate_key = ["hunter2"]', "labeler.private_key", "hunter2", id="in a list"),
        pytest.param('[store]\nurl = ["postgresql://me:hunter2@db/p"]', "store.url", "hunter2", id="in a list of addresses"),
        pytest.param('[store]\nurl = "postgresql://me:hunter2@db/plainsky"', "store.url", "hunter2", id="a database password"),
        pytest.param('[store]\nurl = "postgresql://me:hun/ter@2@db/p"', "store.url", "ter", id="a database password with / and @"),
        pytest.param('[store]\nurl = "postgresql://db/plainsky?user=me&password=hunter2"', "store.url", "hunter2", id="as a parameter"),
        pytest.param('[identity]\nplc = "https://me:hunter2@plc.directory"', "identity.plc", "hunter2", id="in any address"),
    ],
)
def test_a_secret_is_refused_and_not_repeated(lines: str, where: str, secret: str) -> None:
    message = refusals(lines)

    assert f"  {where}: a " in message or f"  {where}[0]: a " in message
    assert "may not stand in this file" in message
    assert secret not in message.replace("app_password", "").replace("private_key", "")


def test_a_database_password_is_told_where_to_go() -> None:
    assert "put the URL in the environment: PLAINSKY_STORE_URL" in refusals('[store]\nurl = "postgres://me:hunter2@db/p"')


def test_the_password_of_another_address_is_not_sent_to_the_databases_place() -> None:
    message = refusals('[appview]\nurl = "https://me:hunter2@api.example"')

    assert "write the address without it" in message
    assert "PLAINSKY_STORE_URL" not in message


@pytest.mark.parametrize(
    "words",
    ['"password", "secret", "token"', f'"{"a" * 63}"', '"five-word-long-term"', '"#keys"'],
)
def test_a_feed_may_look_for_any_words(words: str) -> None:
    feed = f'[[feeds]]\nrkey = "password"\nname = "Passwords"\ninclude = [{{ kind = "keyword", any = [{words}] }}]\n'

    assert parse(GOOD + feed).feeds[0].rkey == "password"


def test_the_environment_gives_the_secrets() -> None:
    url = "postgresql://me:hunter2@db/plainsky"
    given = {"PLAINSKY_STORE_URL": url, "PLAINSKY_LABELER_KEY": KEY, "PLAINSKY_LABELER_KEY_FILE": "/run/secrets/labeler"}
    config = parse(GOOD, environment=given)

    assert config.labeler is not None
    assert (config.store.url, config.labeler.key, str(config.labeler.key_file)) == (url, KEY, "/run/secrets/labeler")


def test_a_secret_is_in_no_repr_and_in_no_hash() -> None:
    config = parse(GOOD, environment={"PLAINSKY_STORE_URL": "postgresql://me:hunter2@db/p", "PLAINSKY_LABELER_KEY": KEY})
    other = parse(GOOD, environment={"PLAINSKY_STORE_URL": "postgresql://me:hunter3@db/p", "PLAINSKY_LABELER_KEY": KEY[::-1]})

    assert "hunter2" not in repr(config)
    assert KEY not in repr(config)
    assert config_hash(config) == config_hash(other)


def test_a_wrong_url_in_the_environment_is_told_by_the_variables_name_and_not_repeated() -> None:
    with pytest.raises(ConfigErrors) as caught:
        parse(GOOD, environment={"PLAINSKY_STORE_URL": "mysql://me:hunter2@db/p"})

    assert "PLAINSKY_STORE_URL: expected" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///plainsky.sqlite", "sqlite:///plainsky.sqlite"),
        ("postgresql://me:hunter2@db:5432/p", "postgresql://me@db:5432/p"),
        ("postgresql://db/p?password=hunter2", "postgresql://db/p"),
    ],
)
def test_a_database_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown
