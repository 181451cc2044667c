"""A wrong config is told completely: every error at once, each with its TOML path, the value, what was expected and the nearest word."""

import pytest

from plainsky.config.errors import ConfigErrors
from plainsky.config.loading import load, parse

SERVICE = '[service]\nhostname = "feeds.example.org"\n'
FEED = '[[feeds]]\nrkey = "a"\nname = "A"\n'
INCLUDE = '[[feeds.include]]\nkind = "hashtag"\nany = ["x"]\n'
GOOD = SERVICE + FEED + INCLUDE


def problems(text: str) -> list[str]:
    """What is wrong with a config, a line each."""
    with pytest.raises(ConfigErrors) as caught:
        parse(text)
    return [str(problem) for problem in caught.value.problems]


def in_feed(lines: str) -> list[str]:
    """What is wrong with a feed that has these lines too."""
    return problems(SERVICE + FEED + lines + "\n" + INCLUDE)


def in_rule(lines: str) -> list[str]:
    """What is wrong with a feed whose second include has these lines."""
    return problems(GOOD + "[[feeds.include]]\n" + lines)


def with_table(lines: str) -> list[str]:
    """What is wrong with a config that has another table."""
    return problems(GOOD + lines)


def test_an_unknown_key_is_refused_with_the_nearest_known_key() -> None:
    assert in_rule('kind = "hashtag"\nanny = ["x"]') == [
        "feeds[0].include[1].any: required key is missing",
        "feeds[0].include[1].anny: unknown key, did you mean 'any'?",
    ]


def test_an_unknown_key_that_is_near_to_none_is_refused_with_all_known_keys() -> None:
    assert with_table("[log]\nzzz = 1") == ["log.zzz: unknown key (known: format, level)"]


def test_an_unknown_table_is_refused() -> None:
    assert with_table("[injest]\n") == ["injest: unknown key, did you mean 'ingest'?"]


def test_a_kind_that_does_not_exist_is_refused_with_the_nearest_and_all_kinds() -> None:
    (problem,) = in_rule('kind = "hashtags"\nany = ["x"]')

    assert problem.startswith('feeds[0].include[1].kind: "hashtags": no such kind, did you mean "hashtag"? (known: all, any, author, ')


def test_a_rule_without_kind_is_told_which_there_are() -> None:
    (problem,) = in_rule('any = ["x"]')

    assert problem.startswith("feeds[0].include[1].kind: required key is missing (known: all, any, author, ")


@pytest.mark.parametrize("written", ['"3 days"', '"3"', '""', '"0s"', '"-1d"', '"٣d"', "3", "true", '["3d"]', "1979-05-27"])
def test_a_length_of_time_is_a_number_and_a_unit(written: str) -> None:
    (problem,) = in_feed(f"window = {written}")

    shown = f'"{written}"' if written == "1979-05-27" else written
    assert problem == f'feeds[0].window: {shown}: expected a length of time like "90s", "15m", "6h" or "3d"'


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param(
            '[service]\nhostname = "a.example"\nport = "3000"', 'service.port: "3000": expected a whole number', id="text is no number"
        ),
        pytest.param(
            '[service]\nhostname = "a.example"\nport = 3000.0',
            "service.port: 3000.0: expected a whole number",
            id="a fraction is no whole number",
        ),
        pytest.param(
            '[service]\nhostname = "a.example"\nport = true', "service.port: true: expected a whole number", id="true is no number"
        ),
        pytest.param(
            '[service]\nhostname = "a.example"\nport = 65536', "service.port: 65536: expected a port from 0 to 65535", id="ports end"
        ),
        pytest.param("[service]\nhostname = 1", "service.hostname: 1: expected text in quotes", id="a number is no text"),
        pytest.param("service = 1", "service: 1: expected a table of keys", id="a number is no table"),
        pytest.param('service = "x"', 'service: "x": expected a table of keys', id="text is no table"),
    ],
)
def test_nothing_is_coerced(table: str, expected: str) -> None:
    assert problems(table + "\n" + FEED + INCLUDE if "[" in table else f"{table}\n{FEED}{INCLUDE}") == [expected]


def test_text_is_no_list() -> None:
    assert in_rule('kind = "hashtag"\nany = "x"') == ['feeds[0].include[1].any: "x": expected a list in [brackets]']


def test_a_member_of_a_list_is_named_by_its_index() -> None:
    assert in_rule('kind = "hashtag"\nany = ["x", 3]') == ["feeds[0].include[1].any[1]: 3: expected text in quotes"]
    assert with_table('[ingest]\nhosts = ["a.example", "a b"]') == [
        'ingest.hosts[1]: "a b": expected a host, like "jetstream.us-east.bsky.network" or "ws://localhost:6008"'
    ]


def test_a_member_of_the_wrong_type_hides_nothing_of_the_others() -> None:
    assert in_rule('kind = "hashtag"\nany = ["#", 5, "fine", "two words"]') == [
        "feeds[0].include[1].any[1]: 5: expected text in quotes",
        'feeds[0].include[1].any[0]: "#": expected a hashtag, which is one word',
        'feeds[0].include[1].any[3]: "two words": expected a hashtag, which is one word',
    ]


def test_a_word_of_a_fixed_set_is_guessed() -> None:
    assert with_table('[ingest]\nsource = "jetsream"') == [
        'ingest.source: "jetsream": no such choice, did you mean "jetstream"? (known: firehose, jetstream, replay)'
    ]


def test_what_a_rule_refuses_is_shown_at_its_key() -> None:
    (problem,) = in_rule('kind = "regex"\npattern = "("')

    assert problem.startswith('feeds[0].include[1].pattern: "(": expected a regular expression')


def test_nested_rules_have_paths_too() -> None:
    assert in_rule('kind = "all"\nrules = [{ kind = "none", rules = [{ kind = "hashtag", all = ["x"], any = ["y"] }] }]') == [
        "feeds[0].include[1].rules[0].rules[0].all: unknown key (known: accents, any, kind, where)"
    ]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param('rkey = "a/b"\nname = "A"', 'feeds[0].rkey: "a/b": expected a record key: ', id="rkey is a record key"),
        pytest.param(
            'rkey = "a"\nname = "' + "n" * 25 + '"', "expected 1 to 24 characters and at most 240 bytes, found 25 and 25", id="long name"
        ),
        pytest.param('rkey = "a"\nname = " "', 'feeds[0].name: " ": expected 1 to 24', id="blank name"),
        pytest.param('rkey = "a"\nname = "A"\ndescription = "' + "é" * 301 + '"', "expected at most 300 characters", id="long description"),
        pytest.param(
            'rkey = "a"\nname = "A"\nper_author = { posts = 0, every = "1h" }', "feeds[0].per_author.posts: 0: ", id="quota of none"
        ),
        pytest.param('rkey = "a"\nname = "A"\norder = "best"', 'feeds[0].order: "best": no such choice', id="orders"),
        pytest.param('rkey = "a"\nname = "A"\npinned = "at://a.example/app.bsky.feed.post/x"', "feeds[0].pinned: ", id="pinned by DID"),
        pytest.param('rkey = "a"\nname = "A"\npinned = "at://did:plc:x/app.bsky.feed.like/x"', "feeds[0].pinned: ", id="pinned post"),
    ],
)
def test_a_feed_keeps_the_limits_of_its_lexicon(lines: str, expected: str) -> None:
    (problem,) = problems(f"{SERVICE}[[feeds]]\n{lines}\n{INCLUDE}")

    assert expected in problem


@pytest.mark.parametrize("language", ["not a lang", "english", "NL", "x"])
def test_names_in_other_languages_are_by_language_tags(language: str) -> None:
    problem = problems(SERVICE + FEED + f"locales = {{ '{language}' = {{ name = 'x' }} }}\n" + INCLUDE)

    assert problem == [f'feeds[0].locales: \'{language}\': expected a language tag, like "nl" or "pt-BR"']


def test_a_name_is_measured_in_what_a_person_sees() -> None:
    family, flag, accented = "👩‍👩‍👧", "🇧🇪", "e\u0301"
    name = family * 3 + flag * 4 + accented * 5

    assert parse(f'{SERVICE}[[feeds]]\nrkey = "a"\nname = "{name}"\n{INCLUDE}').feeds[0].name == name


def test_a_feed_needs_a_rule() -> None:
    assert problems(SERVICE + FEED + "include = []") == ["feeds[0].include: []: expected at least one rule, or no post would ever enter"]
    assert problems(SERVICE + FEED) == ["feeds[0].include: required key is missing"]


def test_single_brackets_are_told_to_be_double() -> None:
    assert problems(SERVICE + FEED.replace("[[", "[").replace("]]", "]")) == ["feeds: expected tables, their name in [[two brackets]]"]
    assert problems(GOOD.replace("[[feeds.include]]", "[feeds.include]")) == [
        "feeds[0].include: expected tables, their name in [[two brackets]]"
    ]


def test_a_feeds_key_below_its_rules_is_told_where_it_belongs() -> None:
    assert problems(GOOD + 'window = "1d"') == [
        "feeds[0].include[0].window: no key of a rule: write it above the feed's first [[feeds.include]]"
    ]


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        pytest.param(SERVICE + INCLUDE + FEED, "line 3: [[feeds.include]] stands above its [[feeds]]: write it below", id="rule first"),
        pytest.param(SERVICE + "[feeds]\n" + FEED, "line 3: write [[feeds]], with two brackets", id="one bracket, then two"),
        pytest.param(GOOD + "[feeds]\n", "write [[feeds]], with two brackets", id="two brackets, then one"),
        pytest.param(GOOD + "[feeds.include]\n", "write [[feeds.include]], with two brackets", id="a rule in one bracket"),
        pytest.param(GOOD + "[log]\n[service]\n", "[service] stands at line 1 already: write all its keys there", id="table twice"),
        pytest.param(
            SERVICE + FEED + "include = []\n" + INCLUDE,
            "write all rules either in include = [ ] or below [[feeds.include]]",
            id="both ways",
        ),
        pytest.param(SERVICE + FEED + "per_author = {\n posts = 2 }\n", "a table in { } must stand on one line", id="several lines"),
        pytest.param(SERVICE + FEED + "per_author = { posts = 2, }\n", "without a comma before the }", id="last comma"),
        pytest.param("[service]\nhostname = “a”", "straight double quotes", id="curly quotes"),
        pytest.param("[service]\nhostname = [a]", "straight double quotes", id="no quotes in a list"),
        pytest.param('[service]\nhostname = "a', "text ends on the line where it began", id="open text"),
        pytest.param("[service]\nhostname = 'a\n", "text ends on the line where it began", id="open single quotes"),
        pytest.param("[service]\nhostname: a", "write key = value", id="colon"),
        pytest.param("[[service]\n", "[[two brackets]]", id="brackets that differ"),
        pytest.param("seed = True", "true and false are written in small letters", id="True"),
        pytest.param('pattern = "\\d"', "write each \\ twice, or put the text in 'single quotes'", id="backslash"),
    ],
)
def test_what_is_no_toml_is_told_with_what_to_write(text: str, advice: str) -> None:
    (problem,) = problems(text)

    assert problem.startswith("this is no TOML: ")
    assert advice in problem


@pytest.mark.parametrize("key", ["kind", "any", "where"])
def test_a_rules_key_in_a_feed_is_told_where_it_belongs(key: str) -> None:
    assert in_feed(f'{key} = "x"') == [f"feeds[0].{key}: a key of a rule: write it below a [[feeds.include]]"]


def test_a_key_of_another_table_is_told_where_it_belongs() -> None:
    belongs = "no key of this table: it belongs in"

    assert in_feed('timezone = "UTC"') == [f"feeds[0].timezone: {belongs} edition = {{ timezone = ... }} of a feed"]
    assert problems('hostname = "a.example"\n' + GOOD) == [f"hostname: {belongs} [service]"]
    assert with_table("[store]\nport = 3000") == [f"store.port: {belongs} [service]"]
    assert with_table('[service.links]\nkey_file = "x"') == [f"service.links.key_file: {belongs} [labeler]"]
    assert in_feed('mode = "auto"') == [f"feeds[0].mode: {belongs} [[labels]]"]


def test_a_part_of_a_tables_own_key_is_looked_for_nowhere_else() -> None:
    assert problems('[service]\nhostname = "a.example.org"\nlinks = { terms = "https://example.org" }\n' + FEED + INCLUDE) == [
        "service.links.terms: unknown key (known: privacy_policy, terms_of_service)"
    ]


def test_a_nest_of_rules_takes_rules() -> None:
    assert in_rule('kind = "none"\nany = ["x"]')[1].startswith("feeds[0].include[1].any: all, any and none take `rules`")


def test_a_quota_and_an_edition_show_their_tables() -> None:
    assert in_feed("per_author = 2") == ['feeds[0].per_author: 2: expected a table like { posts = 2, every = "1d" }']
    assert in_feed('order = "edition"\nedition = "07:00"')[0].endswith(
        'expected a table like { at = ["07:00", "18:00"], timezone = "Europe/Brussels" }'
    )


def test_pictures_are_told_to_be_embedded() -> None:
    assert in_rule('kind = "image"') == [
        'feeds[0].include[1].kind: "image": pictures and videos are kind = "embed", with any = ["image", "gallery", "video"]'
    ]


def test_a_stream_is_read_over_a_websocket() -> None:
    (problem,) = with_table('[ingest]\nhosts = ["https://relay.example"]')

    assert problem.startswith('ingest.hosts[0]: "https://relay.example": expected a host, like "jetstream.us-east.bsky.network" or "ws')


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('ingest.watchdog = "1ms"', 'at least "1s"'),
        ('ingest.backoff_max = "10ms"', 'at least "1s"'),
        ('ingest.batch_age = "4w"', 'at most "1m"'),
        ('claims.refresh = "1s"', 'at least "1m"'),
    ],
)
def test_no_config_storms_a_host_or_holds_posts_back(line: str, expected: str) -> None:
    key, _, value = line.partition(" = ")
    table, _, name = key.partition(".")

    assert problems(GOOD + f"[{table}]\n{name} = {value}\n") == [f"{key}: {value}: expected {expected}"]


def test_two_feeds_or_labels_may_not_share_a_name() -> None:
    label = '[[labels]]\nvalue = "x-y"\nsignals = ["gtube"]\n'

    assert problems(GOOD + FEED + INCLUDE + label * 2) == [
        'feeds[1].rkey: "a" is taken by feeds[0]',
        'labels[1].value: "x-y" is taken by labels[0]',
    ]


@pytest.mark.parametrize("ending", ["json", "atom"])
def test_no_feed_may_hide_what_programs_read_of_another(ending: str) -> None:
    other = FEED.replace('rkey = "', f'rkey = "x.{ending}"\n# "', 1) + INCLUDE
    first = FEED.replace('rkey = "', 'rkey = "x"\n# "', 1) + INCLUDE

    assert problems(SERVICE + first + other) == [f'feeds[1].rkey: "x.{ending}" is where feeds[0] is read by programs']
    parse(SERVICE + other)


def test_a_config_that_serves_nothing_is_refused() -> None:
    assert problems(SERVICE) == ["nothing to serve: expected at least one [[feeds]] or [[labels]] table"]


def test_a_replay_needs_a_recording_and_a_stream_a_host() -> None:
    assert with_table('[ingest]\nsource = "replay"') == ['ingest.path: required key is missing: what should "replay" play?']
    assert with_table("[ingest]\nhosts = []") == ["ingest.hosts: []: expected at least one host"]


@pytest.mark.parametrize(
    "hostname", ["https://a.example", "a.example/", "a.example:3000", "", "a_b.example", "localhost:", "127.0.0.1", "A.example"]
)
def test_a_hostname_is_one_that_a_did_web_can_have(hostname: str) -> None:
    (problem,) = problems(f'[service]\nhostname = "{hostname}"\n{FEED}{INCLUDE}')

    assert problem.startswith(f'service.hostname: "{hostname}": expected a public host name')


def test_all_errors_of_a_file_are_told_at_once() -> None:
    text = '[service]\nport = 1.5\n[log]\nlevel = "loud"\n[[feeds]]\nname = ""\nwindow = 3\ninclude = [{ kind = "x" }, { any = [] }]\n'
    paths = [problem.split(":")[0] for problem in problems(text)]

    assert paths == [
        "service.hostname",
        "service.port",
        "feeds[0].rkey",
        "feeds[0].name",
        "feeds[0].include[0].kind",
        "feeds[0].include[1].kind",
        "feeds[0].window",
        "log.level",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "[service]\nhostname = a",
            'this is no TOML: Invalid value (at line 2, column 12): text stands in straight double quotes, like "this"',
            id="value",
        ),
        pytest.param(
            "[service]\nhostname = ",
            "this is no TOML: Invalid value (at line 2, at end of document): a value is missing after the =",
            id="end",
        ),
        pytest.param(
            "[service]\nport = 1\nport = 2\n",
            "this is no TOML: Cannot overwrite a value (at line 3, column 9): port is written twice: keep one of them",
            id="twice",
        ),
        pytest.param("a = " + "9" * 5000, "this is no TOML: a number has too many digits", id="digits"),
        pytest.param("a = " + "[" * 5000, "this is no TOML: lists stand in each other too deeply", id="lists"),
        pytest.param("a" + ".a" * 60 + " = 1", "tables and lists stand in each other more than 50 levels deep", id="tables"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(text: str, expected: str) -> None:
    assert problems(text) == [expected]


def test_odd_keys_and_long_values_are_shown_in_one_safe_line() -> None:
    known = "appview, canary, claims, feeds, identity, ingest, labeler, labels, log, opt_out, recording, service, store"
    assert with_table('["\\u001b[31m\\n"]\n') == [f'"\\u001b[31m\\n": unknown key (known: {known})']
    (problem,) = with_table('[log]\nlevel = "' + "x" * 1000 + '"')
    assert problem.startswith('log.level: "' + "x" * 56 + "...: no such choice")


def test_a_file_that_cannot_be_read_is_told_with_what_to_do(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("config")
    (folder / "latin.toml").write_bytes(b'# names\nname = "\xe9"')

    (folder / "windows.toml").write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())

    assert load(folder / "windows.toml").service.hostname == "feeds.example.org"
    with pytest.raises(ConfigErrors, match=r"no such file: write one with `plainsky init`"):
        load(folder / "config.toml")
    with pytest.raises(ConfigErrors, match="cannot be read"):
        load(folder)
    with pytest.raises(ConfigErrors, match="line 2 is no UTF-8: let your editor save"):
        load(folder / "latin.toml")
