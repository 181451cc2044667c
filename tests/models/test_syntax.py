"""Every line of the interop files is decided as the protocol decides it; datetimes and TIDs say the right microsecond."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.protocol import syntax
from tests.support.interop import cases

DECIDERS: dict[str, Callable[[str], bool]] = {
    "did": syntax.is_did,
    "handle": syntax.is_handle,
    "atidentifier": lambda text: syntax.is_did(text) or syntax.is_handle(text),
    "nsid": syntax.is_nsid,
    "recordkey": syntax.is_record_key,
    "cid": syntax.is_cid,
    "language": syntax.is_language,
    "aturi": lambda text: syntax.parse_at_uri(text) is not None,
    "datetime": lambda text: syntax.parse_datetime(text) is not None,
    "tid": syntax.is_tid,
}


def _lines(ending: str, *kinds: str) -> list[object]:
    return [pytest.param(kind, text, id=f"{kind}:{text[:60]!r}") for kind in kinds for text in cases(f"{kind}_{ending}")]


@pytest.mark.parametrize(("kind", "text"), _lines("syntax_valid", *DECIDERS))
def test_what_the_interop_files_call_valid_is_accepted(kind: str, text: str) -> None:
    assert DECIDERS[kind](text)


@pytest.mark.parametrize(("kind", "text"), _lines("syntax_invalid", *DECIDERS) + _lines("parse_invalid", "datetime", "language"))
def test_what_the_interop_files_call_invalid_is_refused(kind: str, text: str) -> None:
    assert not DECIDERS[kind](text)


@pytest.mark.parametrize("kind", DECIDERS)
def test_a_newline_at_the_end_is_refused(kind: str) -> None:
    assert not any(DECIDERS[kind](text + "\n") for text in cases(f"{kind}_syntax_valid"))


@given(st.text(max_size=40))
def test_any_text_is_answered(text: str) -> None:
    assert {decide(text) for decide in DECIDERS.values()} <= {True, False}


def test_an_at_uri_is_taken_apart() -> None:
    assert syntax.parse_at_uri("at://did:plc:asdf123") == ("did:plc:asdf123", None, None)
    assert syntax.parse_at_uri("at://alice.example/app.bsky.feed.generator/solidarity") == syntax.AtUri(
        authority="alice.example", collection="app.bsky.feed.generator", rkey="solidarity"
    )


@pytest.mark.parametrize(
    ("text", "time_us"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-08-20T10:11:12.345Z", 1_787_220_672_345_000),
        ("2026-08-20T12:11:12.345+02:00", 1_787_220_672_345_000),
        ("2026-08-20T10:11:12.3456789999Z", 1_787_220_672_345_678),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
        ("0000-03-01T00:00:00Z", -62_162_035_200_000_000),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
    ],
)
def test_a_datetime_is_read_to_the_microsecond(text: str, time_us: int) -> None:
    assert syntax.parse_datetime(text) == time_us


@pytest.mark.parametrize("text", ["2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-08-20T24:00:00Z", "2026-08-20T23:59:60Z"])
def test_a_day_or_a_second_that_never_was_is_no_datetime(text: str) -> None:
    assert syntax.parse_datetime(text) is None


@given(st.datetimes(timezones=st.timezones()))
def test_a_datetime_names_the_same_instant_in_every_zone(moment: datetime) -> None:
    offset = moment.utcoffset() or timedelta()
    moment = moment.replace(tzinfo=UTC) if offset.total_seconds() % 60 or not offset else moment

    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert syntax.parse_datetime(moment.isoformat()) == expected


@given(st.integers(min_value=0, max_value=253_402_300_799_999))
def test_a_formatted_datetime_reads_back(time_ms: int) -> None:
    assert syntax.parse_datetime(syntax.format_datetime(time_ms * 1000)) == time_ms * 1000


@given(st.text(max_size=14) | st.text("234567abcjkz", min_size=13, max_size=13))
def test_what_is_a_tid_says_a_time_and_nothing_else_does(text: str) -> None:
    assert syntax.is_tid(text) is (syntax.tid_time_us(text) is not None)


def test_a_tid_says_when_it_was_made() -> None:
    assert syntax.tid_time_us("2222222222222") == 0
    assert syntax.tid_of(0, 1023) == "22222222222zz"
    # the rev of a #sync event whose own time is 19:26:08.930
    assert syntax.format_datetime(syntax.tid_time_us("3n2rcvp6nb22t") or 0) == "2026-11-20T19:26:08.588Z"


@given(st.integers(0, 2**53 - 1), st.integers(0, 1023), st.integers(0, 2**53 - 1), st.integers(0, 1023))
def test_tids_sort_as_time_then_clock(time_a: int, clock_a: int, time_b: int, clock_b: int) -> None:
    a, b = syntax.tid_of(time_a, clock_a), syntax.tid_of(time_b, clock_b)

    assert (a < b) == ((time_a, clock_a) < (time_b, clock_b))
    assert syntax.tid_time_us(a) == time_a
