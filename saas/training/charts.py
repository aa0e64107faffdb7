"""Lines and bars in plain SVG: the geometry is made here, templates/training/chart.html draws it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 360.0, 250.0
LEFT, RIGHT, TOP, BOTTOM = 48.0, 18.0, 30.0, 46.0
STEPS = (1, 2, 2.5, 5, 10)
BAR, NAMES, FIGURES = 28.0, 140.0, 52.0  # a bar's height, the room of its name and of its figure
BIGGEST = 8.0  # the radius of the heaviest dot

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`, with lines at `ticks`. Shares are written in percent."""

    title: str
    low: float
    high: float
    ticks: tuple[float, ...]
    percent: bool = True

    def write(self, value: float) -> str:
        return f"{100 * value:.3g}%" if self.percent else f"{value:,.6g}"


@dataclass(frozen=True, slots=True)
class Line:
    """Points in the data's units; `weights`, one for each, makes dots of that area."""

    points: Sequence[Point]
    label: str = ""
    label_at: Point | None = None
    label_below: float = 0.0  # by so much of the drawing
    anchor: str = "start"
    style: str = "main"
    joined: bool = True
    dots: bool = False
    weights: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    r: float
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A piece of text at a place of the drawing."""

    x: float
    y: float
    text: str
    anchor: str = "middle"
    style: str = ""


@dataclass(frozen=True, slots=True)
class Stroke:
    path: str
    style: str


@dataclass(slots=True)
class Chart:
    """A drawing, and the same figures as a table for whoever does not see it."""

    title: str
    says: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    width: float = WIDTH
    height: float = HEIGHT
    strokes: list[Stroke] = field(default_factory=list)
    dots: list[Dot] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)


def shares(title: str, *, low: float = 0.0, steps: int = 4) -> Axis:
    """An axis of shares up to 1, from a round number below `low`."""
    step = _step((1 - low) / steps)
    bottom = max(0.0, math.floor(low / step) * step)
    return Axis(title, bottom, 1.0, _ticks(bottom, 1.0, step))


def counts(title: str, high: float, *, steps: int = 4) -> Axis:
    """An axis of whole numbers from 0."""
    step = max(1.0, _step(high / steps))
    top = max(step, math.ceil(high / step) * step)
    return Axis(title, 0.0, top, _ticks(0.0, top, step), percent=False)


def draw(
    title: str,
    says: str,
    *,
    x: Axis,
    y: Axis,
    lines: Sequence[Line],
    columns: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
) -> Chart:
    """`says` is what the chart shows, in a sentence; `columns` and `rows` are its table."""
    chart = Chart(title, says, columns, rows)
    _frame(chart, x, y)
    for line in lines:
        _line(chart, line, x, y)
    return chart


def bars(
    title: str,
    says: str,
    *,
    bars: Sequence[tuple[str, float | None]],
    columns: tuple[str, str],
) -> Chart:
    """Shares by name, each with its figure; None is nothing to draw. `columns` are of its table."""
    written = [(name, "" if share is None else f"{100 * share:.3g}%") for name, share in bars]
    chart = Chart(title, says, columns, written, height=BAR * len(bars) + 8)
    widest = max((share for _, share in bars if share), default=1.0)
    for number, ((name, share), (_, text)) in enumerate(zip(bars, written, strict=True)):
        middle = BAR * (number + 0.5) + 4
        chart.marks.append(Mark(0, middle + 4, name, "start", "axis"))
        end = NAMES + (share or 0.0) / widest * (WIDTH - NAMES - FIGURES)
        if share:
            chart.strokes.append(Stroke(f"M{NAMES:g} {middle:g}H{end:.1f}", "bar"))
        chart.marks.append(Mark(end + 6, middle + 4, text, "start"))
    return chart


def _frame(chart: Chart, x: Axis, y: Axis) -> None:
    for tick in y.ticks:
        height = _y(tick, y)
        chart.strokes.append(Stroke(f"M{LEFT:g} {height:.1f}H{WIDTH - RIGHT:g}", "grid"))
        chart.marks.append(Mark(LEFT - 7, height + 4, y.write(tick), "end"))
    for tick in x.ticks:
        chart.marks.append(Mark(_x(tick, x), HEIGHT - BOTTOM + 18, x.write(tick)))
    chart.marks.append(Mark((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x.title, style="axis"))
    chart.marks.append(Mark(4, 14, y.title, "start", "axis"))


def _line(chart: Chart, line: Line, x: Axis, y: Axis) -> None:
    places = [(_x(px, x), _y(py, y)) for px, py in line.points]
    if line.joined and len(places) > 1:
        path = "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in places)
        chart.strokes.append(Stroke(path, line.style))
    heaviest = max(line.weights, default=1) or 1
    if line.dots:
        for number, (px, py) in enumerate(places):
            weight = line.weights[number] / heaviest if line.weights else 0.25
            said = f"{x.write(line.points[number][0])}, {y.write(line.points[number][1])}"
            chart.dots.append(Dot(px, py, max(2.5, BIGGEST * math.sqrt(weight)), said))
    if line.label and line.label_at:
        place = _x(line.label_at[0], x), _y(line.label_at[1], y) + line.label_below
        chart.marks.append(Mark(*place, line.label, line.anchor, f"label {line.style}"))


def _x(value: float, axis: Axis) -> float:
    return LEFT + (value - axis.low) / (axis.high - axis.low) * (WIDTH - LEFT - RIGHT)


def _y(value: float, axis: Axis) -> float:
    room = HEIGHT - TOP - BOTTOM
    return TOP + room - (value - axis.low) / (axis.high - axis.low) * room


def _step(rough: float) -> float:
    """The round number that is nearest above: 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(max(rough, 1e-9)))
    return next(step * power for step in STEPS if step * power >= rough * 0.999)


def _ticks(low: float, high: float, step: float) -> tuple[float, ...]:
    count = round((high - low) / step)
    return tuple(low + number * step for number in range(count + 1))
