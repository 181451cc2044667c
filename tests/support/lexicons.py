"""An independent judge of what we serve: values are held against the official lexicons, as strictly as the specification reads.

Stricter than the reference validator where that is lenient: null only where nullable, datetimes with their zone, at-uris in the strict
form, and no key that the lexicon does not name, since a key of ours that no lexicon knows is a slip of the pen.
Takes values as JSON gives them (`{"$bytes": ...}`, `{"$link": ...}`) and as DAG-CBOR gives them (bytes).
Source: atproto.com/specs/lexicon, atproto.com/specs/data-model.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from models.graphemes import graphemes
from models.protocol import syntax

OFFICIAL = Path(__file__).parents[1] / "data" / "lexicons"

Schema = dict[str, Any]


class Invalid(AssertionError):
    """A value breaks its lexicon; the message says where and why."""


def assert_valid_output(nsid: str, answer: Any) -> None:
    """The JSON answer of a query or procedure."""
    Judge().check(nsid, _main(nsid)["output"]["schema"], answer, "")


def assert_valid_message(nsid: str, kind: str, body: Any) -> None:
    """One frame of a subscription: `kind` is the header's `t`, such as "#labels"."""
    refs = _main(nsid)["message"]["schema"]["refs"]
    _require(kind in refs, kind, f"is none of {refs}")
    Judge().check(nsid, {"type": "ref", "ref": kind}, body, kind)


def assert_valid_record(record: Any) -> None:
    """A record, by its own $type."""
    Judge().record(record)


def _main(nsid: str) -> Schema:
    main: Schema = Judge().definition(nsid, "main")[1]
    return main


def _require(good: bool, path: str, complaint: str) -> None:
    if not good:
        raise Invalid(f"{path or 'the value'} {complaint}")


@cache
def _definitions(file: Path) -> dict[str, Schema]:
    """A lexicon's: nobody changes them, and one answer refers to the same ones again and again."""
    definitions: dict[str, Schema] = json.loads(file.read_text(encoding="utf-8"))["defs"]
    return definitions


class Judge:
    """Reads lexicons from `folder`, one file each, named as its NSID. `closed`: keys that the lexicon does not name are refused."""

    def __init__(self, folder: Path = OFFICIAL, closed: bool = True) -> None:
        self.folder = folder
        self.closed = closed

    def definition(self, nsid: str, ref: str) -> tuple[str, Schema]:
        """The lexicon and the schema that a ref means, seen from the lexicon `nsid`."""
        name, _, part = ref.partition("#") if "#" in ref or "." in ref else (nsid, "", ref)
        return name or nsid, _definitions(self.folder / f"{name or nsid}.json")[part or "main"]

    def record(self, record: Any) -> None:
        """A record by its own $type."""
        _require(isinstance(record, dict) and isinstance(record.get("$type"), str), "", "names no $type")
        nsid, main = self.definition(record["$type"], "main")
        _require(main["type"] == "record", "", f"{nsid} is no record's lexicon")
        self.check(nsid, main["record"], record, "")

    def check(self, nsid: str, schema: Schema, value: Any, path: str) -> None:
        """Raise Invalid unless `value` is what `schema`, found in the lexicon `nsid`, allows."""
        kind = schema["type"]
        if kind == "ref":
            self.check(*self.definition(nsid, schema["ref"]), value, path)
        elif kind == "union":
            self._union(nsid, schema, value, path)
        elif kind == "object":
            self._object(nsid, schema, value, path)
        elif kind == "array":
            _require(isinstance(value, list), path, "is no array")
            _length(schema, len(value), path)
            for index, item in enumerate(value):
                self.check(nsid, schema["items"], item, f"{path}[{index}]")
        else:
            _SIMPLE[kind](schema, value, path)

    def _union(self, nsid: str, schema: Schema, value: Any, path: str) -> None:
        _require(isinstance(value, dict) and isinstance(value.get("$type"), str), path, "is in a union and names no $type")
        name = value["$type"].removesuffix("#main")
        for ref in schema["refs"]:
            if (ref if not ref.startswith("#") else nsid + ref) == name:
                return self.check(nsid, {"type": "ref", "ref": ref}, value, path)
        return _require(not schema.get("closed"), path, f"is a {name}, which the closed union does not list")

    def _object(self, nsid: str, schema: Schema, value: Any, path: str) -> None:
        _require(isinstance(value, dict), path, "is no object")
        properties: Schema = schema.get("properties", {})
        for key in schema.get("required", []):
            _require(key in value, f"{path}.{key}", "is required")
        for key, item in value.items():
            _require(key in properties or key == "$type" or not self.closed, f"{path}.{key}", "is not in the lexicon")
            if key in properties and not (item is None and key in schema.get("nullable", [])):
                self.check(nsid, properties[key], item, f"{path}.{key}")


def _length(schema: Schema, length: int, path: str, unit: str = "Length") -> None:
    least, most = schema.get("min" + unit, 0), schema.get("max" + unit, length)
    _require(least <= length <= most, path, f"has {unit.lower()} {length}, allowed are {least} to {most}")


def _choice(schema: Schema, value: Any, path: str) -> None:
    _require("const" not in schema or value == schema["const"], path, f"is not {schema.get('const')!r}")
    _require("enum" not in schema or value in schema["enum"], path, f"is none of {schema.get('enum')}")


def _string(schema: Schema, value: Any, path: str) -> None:
    _require(isinstance(value, str), path, "is no string")
    _length(schema, len(value.encode()), path)
    if "minGraphemes" in schema or "maxGraphemes" in schema:
        _length(schema, graphemes(value), path, "Graphemes")
    _choice(schema, value, path)
    if "format" in schema:
        _require(FORMATS[schema["format"]](value), path, f"is no {schema['format']}: {value[:80]!r}")


def _integer(schema: Schema, value: Any, path: str) -> None:
    _require(type(value) is int, path, "is no integer")
    _require(schema.get("minimum", value) <= value <= schema.get("maximum", value), path, f"is out of range: {value}")
    _choice(schema, value, path)


def _boolean(schema: Schema, value: Any, path: str) -> None:
    _require(type(value) is bool, path, "is no boolean")
    _choice(schema, value, path)


def _bytes(schema: Schema, value: Any, path: str) -> None:
    if isinstance(value, dict):
        _require(list(value) == ["$bytes"] and isinstance(value["$bytes"], str), path, 'is no {"$bytes": ...}')
        try:
            text = value["$bytes"].rstrip("=")
            value = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except binascii.Error:
            raise Invalid(f"{path} is no base64") from None
    _require(isinstance(value, bytes), path, "is no bytes")
    _length(schema, len(value), path)


def _cid_link(_: Schema, value: Any, path: str) -> None:
    link = isinstance(value, dict) and list(value) == ["$link"] and isinstance(value["$link"], str) and syntax.is_cid(value["$link"])
    _require(link or isinstance(value, bytes), path, "is no link")


def _blob(schema: Schema, value: Any, path: str) -> None:
    _require(isinstance(value, dict) and value.get("$type") == "blob", path, "is no blob")
    _cid_link({}, value.get("ref"), f"{path}.ref")
    _integer({"minimum": 0, "maximum": schema.get("maxSize", 2**53)}, value.get("size"), f"{path}.size")
    mime = value.get("mimeType")
    _require(isinstance(mime, str), f"{path}.mimeType", "is no string")
    accepted = any(re.fullmatch(re.escape(kind).replace(r"\*", ".*"), mime) for kind in schema.get("accept", ["*/*"]))
    _require(accepted, f"{path}.mimeType", f"is none of {schema.get('accept')}")


def _unknown(_: Schema, value: Any, path: str) -> None:
    data = isinstance(value, dict) and "$bytes" not in value and "$link" not in value and value.get("$type") != "blob"
    _require(data, path, "is no object")


_SIMPLE: dict[str, Callable[[Schema, Any, str], None]] = {
    "string": _string,
    "integer": _integer,
    "boolean": _boolean,
    "bytes": _bytes,
    "cid-link": _cid_link,
    "blob": _blob,
    "unknown": _unknown,
}


def is_uri(text: str) -> bool:
    """Any URI, as loosely as the lexicon means it."""
    return len(text) <= 8192 and re.fullmatch(r"[a-zA-Z][a-zA-Z0-9.+-]*:(?://)?[^\s/]\S*", text) is not None


FORMATS: dict[str, Callable[[str], bool]] = {
    "did": syntax.is_did,
    "handle": syntax.is_handle,
    "at-identifier": lambda text: syntax.is_did(text) or syntax.is_handle(text),
    "at-uri": lambda text: syntax.parse_at_uri(text) is not None,
    "nsid": syntax.is_nsid,
    "cid": syntax.is_cid,
    "datetime": lambda text: syntax.parse_datetime(text) is not None,
    "language": syntax.is_language,
    "tid": lambda text: syntax.tid_time_us(text) is not None,
    "record-key": syntax.is_record_key,
    "uri": is_uri,
}
