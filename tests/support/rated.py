"""Made-up texts to train on, in the form of a folder of data: rumours and plain news of a village, and everyday posts."""

import csv
from collections.abc import Iterable
from itertools import product
from pathlib import Path

_WHO = ("A doctor", "The mayor", "My aunt", "Our baker", "A leaked letter", "The radio", "A German nurse", "Some Muslim teacher")
_FALSE = (
    "admits the water hides microchips",
    "says magnets cure the flu",
    "proves the moon is cheese",
    "confirms that garlic stops the virus",
)
_TRUE = (
    "reports two new cases today",
    "opens a clinic on Monday",
    "publishes the figures of the week",
    "invites everybody to a vaccination",
)
_ENDS = (
    "",
    "!",
    " https://example.org/a",
    " @alice.example.org",
    " and nobody talks about it",
    " in the village hall",
    " #news",
    " (video)",
)
_TOPICS = {
    "garden": ("My tomatoes are ripe", "Anyone with a spare shovel", "The roses smell lovely", "Rain again on my beans"),
    "music": ("Listening to the new album", "What a concert last night", "My violin needs new strings", "Choir practice was fun"),
}
_MOODS = (" today", " lol", " at last", ", any tips", " and I love it", " with my Polish friend", " again", " this weekend", "!", "...")


def rated_data(folder: Path) -> Path:
    """Write the folder: two sets of rated texts, one file of everyday posts."""
    (folder / "text").mkdir(parents=True)
    (folder / "posts").mkdir()
    rated = [
        (f"{who} {what}{end}", label) for label, said in (("1", _FALSE), ("0", _TRUE)) for who, what, end in product(_WHO, said, _ENDS)
    ]
    _write(folder / "text/letters.csv", ("text", "label"), rated[::2])
    _write(folder / "text/village.csv", ("text", "label"), [(f"Heard: {text.lower()}", label) for text, label in rated[1::2]])
    everyday = [
        (f"{what}{mood} {end}", topic)
        for topic, said in _TOPICS.items()
        for what, mood, end in product(said, _MOODS, ["ab", "cd", "ef", "gh"])
    ]
    _write(folder / "posts/everyday.csv", ("text", "topic"), everyday)
    return folder


def _write(file: Path, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([columns, *rows])
