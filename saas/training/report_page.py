"""The report of a model version as a page."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from django.template.loader import render_to_string

from ml.report import HeldOut, Learning, Report, Scores
from saas.training import charts
from saas.training.models import ModelVersion
from saas.training.report_words import TEXT, note

SHOWN = 12  # rows of a curve's table
COLUMNS = {
    "intents": ("intent", "precision_of", "recall", "f1", "support"),
    "confusions": ("truth", "guess", "count"),
    "switches": ("switch", "without", "with", "gain", "used"),
    "robustness": ("disturbance", "as_is", "disturbed", "loss"),
    "fairness": ("swap", "texts", "moved", "shift", "gap"),
    "flips": ("one", "intent", "other", "intent"),
}


def render(version: ModelVersion, report: Report, language: str) -> str:
    """The report as HTML of its own: styles and drawings inside, no script, nothing to fetch."""
    words = TEXT[language]
    return render_to_string(
        "training/report.html",
        {
            "words": words,
            "language": language,
            "version": version,
            "notes": [note(said, language) for said in report.notes],
            "report": report,
            "title": words["title"].format(number=version.number),
            "made": words["made"].format(
                step=words["steps"][report.step],
                date=version.created_at.strftime("%Y-%m-%d %H:%M UTC"),
                examples=f"{report.examples:,}",
            ),
            **_sections(report, words),
        },
    )


def policy() -> str:
    """The page's Content-Security-Policy: its own style, and nothing else."""
    style = render_to_string("training/report.css").encode()
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )


def _sections(report: Report, words: dict[str, Any]) -> dict[str, Any]:
    held_out = report.held_out
    texts = held_out.scores.texts if held_out else 0
    return {
        "columns": {part: [words[name] for name in names] for part, names in COLUMNS.items()},
        "scores_note": words["scores_note"].format(texts=f"{texts:,}"),
        "tiles": _tiles(held_out.scores, report.before, words) if held_out else [],
        "trust": _trust(held_out, words) if held_out else [],
        "learning": _learning(report.learning, words) if report.learning else None,
        "intents": [
            (r.intent, _percent(r.precision), _percent(r.recall), _percent(r.f1), f"{r.support:,}")
            for r in (held_out.intents if held_out else ())
        ],
        "confusions": [
            (r.truth, r.guess, f"{r.count:,}") for r in (held_out.confusions if held_out else ())
        ],
        "switches": [
            (
                _name(r.name, words),
                _percent(r.without),
                _percent(r.with_it),
                _points(r.with_it - r.without),
                words["yes" if r.kept else "no"],
            )
            for r in report.switches
        ],
        "robustness": [
            (
                _name(r.name, words),
                _percent(r.before),
                _percent(r.after),
                _points(r.after - r.before),
            )
            for r in report.robustness
        ],
        "fairness": [
            (
                _name(r.name, words),
                f"{r.texts:,}",
                _percent(r.moved),
                "" if r.confidence is None else _percent(r.confidence),
                "" if r.gap is None else f"{100 * r.gap:.1f}",
            )
            for r in report.fairness
        ],
        "flips": [
            (flip.one, flip.intent, flip.other, flip.other_intent)
            for swap in report.fairness
            for flip in swap.flips
        ],
        "cost": _cost(report, words),
    }


def _tiles(scores: Scores, before: Scores | None, words: dict[str, Any]) -> list[dict[str, str]]:
    tiles = []
    for name in ("accuracy", "macro_f1", "roc_auc", "ece"):
        value, old = getattr(scores, name), getattr(before, name, None)
        if value is not None:
            tiles.append(
                {
                    "name": words[name],
                    "value": _percent(value),
                    "before": words["before"].format(value=_percent(old))
                    if old is not None
                    else "",
                    "says": words[f"{name}_says"],
                }
            )
    return tiles


def _trust(held_out: HeldOut, words: dict[str, Any]) -> list[charts.Chart]:
    drawn = [_calibration(held_out, words), _cuts(held_out, words)]
    return [*drawn, _scope(held_out, words)] if held_out.unknown else drawn


def _calibration(held_out: HeldOut, words: dict[str, Any]) -> charts.Chart:
    bins = held_out.bins
    return charts.draw(
        words["calibration"],
        words["calibration_says"],
        x=charts.shares(words["confidence"]),
        y=charts.shares(words["right"]),
        lines=[
            charts.Line(((0, 0), (1, 1)), words["ideal"], (0.2, 0.27), style="ideal"),
            charts.Line(
                [(b.confidence, b.accuracy) for b in bins],
                joined=False,
                dots=True,
                weights=[b.count for b in bins],
            ),
        ],
        columns=(words["confidence"], words["right"], words["texts"]),
        rows=[(_percent(b.confidence), _percent(b.accuracy), f"{b.count:,}") for b in bins],
    )


def _cuts(held_out: HeldOut, words: dict[str, Any]) -> charts.Chart:
    cuts = [
        (c.coverage, c.precision, c.threshold) for c in held_out.cuts if c.precision is not None
    ]
    chosen = held_out.chosen
    says = words["cuts_plain"]
    lines = [charts.Line([(coverage, precision) for coverage, precision, _ in cuts])]
    if chosen and chosen.precision is not None:
        place = chosen.coverage, chosen.precision
        says = words["cuts_says"].format(
            coverage=_percent(chosen.coverage), precision=_percent(chosen.precision)
        )
        lines.append(charts.Line((place,), words["chosen"], place, 18, "end", "chosen", dots=True))
    return charts.draw(
        words["cuts"],
        says,
        x=charts.shares(words["coverage"]),
        y=charts.shares(words["precision"], low=min((p for _, p, _ in cuts), default=0.0) - 0.02),
        lines=lines,
        columns=(words["threshold"], words["coverage"], words["precision"]),
        rows=[(f"{t:.3g}", _percent(c), _percent(p)) for c, p, t in _thin(cuts)],
    )


def _scope(held_out: HeldOut, words: dict[str, Any]) -> charts.Chart:
    lines, rows = [], []
    for number, unknown in enumerate(held_out.unknown):
        name = words["unknown"].get(unknown.kind, unknown.kind)
        points = [(point.refused, point.caught) for point in unknown.curve]
        label = f"{name}: {words['auroc'].format(value=f'{unknown.auroc:.3f}')}"
        place = (0.96, 0.26 - 0.12 * number)
        style = "main" if number == 0 else "other"
        lines.append(charts.Line(points, label, place, 0, "end", style))
        rows += [(name, _percent(refused), _percent(caught)) for refused, caught in _thin(points)]
    return charts.draw(
        words["scope"],
        words["scope_says"],
        x=charts.shares(words["refused"]),
        y=charts.shares(words["caught"]),
        lines=lines,
        columns=(words["kind"], words["refused"], words["caught"]),
        rows=rows,
    )


def _learning(learning: Learning, words: dict[str, Any]) -> charts.Chart:
    points = [(point.at, point.accuracy) for point in learning.points]
    last = points[-1]
    unit = words["units"][learning.unit]
    low = min(accuracy for _, accuracy in points) - 0.02
    return charts.draw(
        words["learning"],
        words["learning_says"][learning.unit],
        x=charts.counts(unit, last[0]),
        y=charts.shares(words["accuracy"], low=low),
        lines=[charts.Line(points, _percent(last[1]), last, -10, "end", dots=True)],
        columns=(unit, words["accuracy"]),
        rows=[(f"{at:,.6g}", _percent(accuracy)) for at, accuracy in points],
    )


def _cost(report: Report, words: dict[str, Any]) -> list[tuple[str, str]]:
    cost = report.cost
    if cost is None:
        return []
    rows = [(words["seconds"], f"{cost.seconds:,.1f} s")]
    if cost.cpu_seconds is not None:
        rows.append((words["cpu_seconds"], f"{cost.cpu_seconds:,.1f} s"))
    if cost.peak_memory is not None:
        rows.append((words["peak_memory"], f"{cost.peak_memory / 2**20:,.0f} MiB"))
    if cost.examples_per_second is not None:
        rows.append((words["examples_per_second"], f"{cost.examples_per_second:,.1f}"))
    return [*rows, (words["device"], cost.device)]


def _thin(rows: list[Any]) -> list[Any]:
    """A few rows of many, the first and the last among them."""
    if len(rows) <= SHOWN:
        return rows
    return [rows[round(place * (len(rows) - 1) / (SHOWN - 1))] for place in range(SHOWN)]


def _name(name: str, words: dict[str, Any]) -> str:
    return str(words["names"].get(name, name.replace("_", " ")))


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f}".replace("-", "−")
