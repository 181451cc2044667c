"""Pictures of reports as inline SVG: curves with intervals, and bars. Deterministic; no library, no script, no address."""

from collections.abc import Iterator, Sequence
from html import escape
from math import log10
from typing import TypeAlias

from attrs import frozen

Point: TypeAlias = tuple[float, float, float, float]
"""x, y, and the ends of y's interval (both y where there is none)."""

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 460, 320, 56, 44, 12, 12
COLOURS = ("#1f6feb", "#b5520f", "#2a7f4f", "#7a3fa0")
ROW = 18
LABEL = 200


@frozen
class Chart:
    """Curves over x; y lies between 0 and 1. `log` when x spans magnitudes; `diagonal` draws y = x, where calibration would be perfect."""

    title: str
    x: str
    y: str
    curves: dict[str, tuple[Point, ...]]
    log: bool = False
    diagonal: bool = False


@frozen
class Bars:
    """One bar a label, to the right for a positive value, to the left for a negative one."""

    title: str
    bars: tuple[tuple[str, float], ...]


def svg(picture: Chart | Bars) -> str:
    """The picture, with its title for who cannot see it."""
    width, height, parts = _bars(picture) if isinstance(picture, Bars) else _chart(picture)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'{head} font-family="sans-serif" font-size="12"><title>{escape(picture.title)}</title>{"".join(parts)}</svg>'


def _bars(picture: Bars) -> tuple[int, int, Iterator[str]]:
    most = max([abs(value) for _, value in picture.bars], default=1.0) or 1.0
    middle, reach = LABEL + 130, 120
    return middle + reach + 60, ROW * len(picture.bars) + 8, _each_bar(picture.bars, most, middle, reach)


def _each_bar(bars: Sequence[tuple[str, float]], most: float, middle: int, reach: int) -> Iterator[str]:
    for row, (label, value) in enumerate(bars):
        top, length = 4 + row * ROW, reach * abs(value) / most
        left = middle if value > 0 else middle - length
        yield _text(LABEL, top + 12, label, "end")
        yield f'<rect x="{left:.1f}" y="{top}" width="{length:.1f}" height="{ROW - 5}" fill="{COLOURS[1] if value > 0 else COLOURS[0]}"/>'
        yield _text(middle + reach + 6, top + 12, f"{value:+.2f}", "start")


def _chart(chart: Chart) -> tuple[int, int, Iterator[str]]:
    return WIDTH, HEIGHT, _each_part(chart, _Scale(chart))


class _Scale:
    """Values to places."""

    def __init__(self, chart: Chart) -> None:
        self._log = chart.log
        places = [self._along(point[0]) for points in chart.curves.values() for point in points] or [0.0]
        self.low, self.high = (0.0, 1.0) if chart.diagonal else (min(places), max(places))
        self._span = (self.high - self.low) or 1.0

    def _along(self, x: float) -> float:
        return log10(max(x, 1e-9)) if self._log else x

    def x(self, x: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (self._along(x) - self.low) / self._span

    @staticmethod
    def y(y: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * min(max(y, 0.0), 1.0)


def _each_part(chart: Chart, scale: _Scale) -> Iterator[str]:
    for tenth in range(0, 11, 2):
        y = scale.y(tenth / 10)
        yield _line(LEFT, y, WIDTH - RIGHT, y, "#d5dbe3")
        yield _text(LEFT - 6, y + 4, f"{tenth / 10:.1f}", "end")
    for x in _ticks(chart):
        yield _text(scale.x(x), HEIGHT - BOTTOM + 16, f"{x:g}", "middle")
    yield _text((LEFT + WIDTH) / 2, HEIGHT - 6, chart.x, "middle")
    yield f'<text transform="translate(14 {HEIGHT / 2:.0f}) rotate(-90)" text-anchor="middle">{escape(chart.y)}</text>'
    if chart.diagonal:
        yield _line(scale.x(0), scale.y(0), scale.x(1), scale.y(1), "#9aa5b1")
    for number, (name, points) in enumerate(chart.curves.items()):
        yield from _curve(name, points, scale, COLOURS[number % len(COLOURS)], number)


def _ticks(chart: Chart) -> list[float]:
    if chart.diagonal:
        return [0, 0.2, 0.4, 0.6, 0.8, 1]
    return sorted({point[0] for points in chart.curves.values() for point in points})


def _curve(name: str, points: Sequence[Point], scale: _Scale, colour: str, number: int) -> Iterator[str]:
    path = " ".join(f"{scale.x(x):.1f},{scale.y(y):.1f}" for x, y, _, _ in points)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for x, y, low, high in points:
        yield _line(scale.x(x), scale.y(low), scale.x(x), scale.y(high), colour)
        yield f'<circle cx="{scale.x(x):.1f}" cy="{scale.y(y):.1f}" r="3" fill="{colour}"/>'
    yield f'<text x="{LEFT + 8}" y="{TOP + 14 + 15 * number}" fill="{colour}">{escape(name)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
