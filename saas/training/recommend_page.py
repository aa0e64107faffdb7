"""The report of a recommender as a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.template.loader import render_to_string

from ml.recommend.report import MEASURES, Figures, Part, RecommendReport, SequenceTraining
from saas.training import charts
from saas.training.models import ModelVersion
from saas.training.recommend_words import TEXT

TILES = ("ndcg10", "recall10", "mrr10", "coverage")
BASELINE = "popularity"


def render(version: ModelVersion, report: RecommendReport, language: str) -> str:
    """The report as HTML of its own: styles and drawings inside, no script, nothing to fetch."""
    words = TEXT[language]
    return render_to_string(
        "training/recommend_report.html",
        {
            "words": words,
            "language": language,
            "version": version,
            "title": words["title"].format(number=version.number),
            "made": words["made"].format(
                step=words["steps"][version.step],
                date=version.created_at.strftime("%Y-%m-%d %H:%M UTC"),
            ),
            "notes": [] if report.figures else [words["nothing"]],
            **(_sections(report, report.figures, words) if report.figures else {}),
        },
    )


def _sections(report: RecommendReport, figures: Figures, words: dict[str, Any]) -> dict[str, Any]:
    return {
        "scores_note": words["scores_note"].format(customers=f"{report.held_out:,}"),
        "tiles": [_tile(name, figures, report.models.get(BASELINE), words) for name in TILES],
        "compared": _compared(report.models, words),
        "columns": [words["model"], *(words[name] for name in MEASURES)],
        "rows": [
            (words["names"].get(name, name), *(_cell(measure, model) for measure in MEASURES))
            for name, model in report.models.items()
        ],
        "parts": [_parts(name, getattr(figures, name), words) for name in ("customers", "items")],
        "cost": _cost(report.sequence, words) if report.sequence else [],
    }


def _tile(
    name: str, figures: Figures, baseline: Figures | None, words: dict[str, Any]
) -> dict[str, str]:
    old = words["baseline"].format(value=_cell(name, baseline)) if baseline else ""
    return {
        "name": words[name],
        "value": _cell(name, figures),
        "before": old,
        "says": words[f"{name}_says"],
    }


def _compared(models: Mapping[str, Figures], words: dict[str, Any]) -> charts.Chart:
    bars = [(words["names"].get(name, name), model.ndcg10) for name, model in models.items()]
    columns = (words["model"], words["ndcg10"])
    return charts.bars(words["models"], words["models_says"], bars=bars, columns=columns)


def _parts(name: str, parts: Mapping[str, Part], words: dict[str, Any]) -> charts.Chart:
    bars = [
        (f"{words['classes'][kind]} · {part.count:,}", part.ndcg10) for kind, part in parts.items()
    ]
    columns = (f"{words['class']} · {words['count']}", words["ndcg10"])
    return charts.bars(words[name], words[f"{name}_says"], bars=bars, columns=columns)


def _cost(sequence: SequenceTraining, words: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (words["epochs"], f"{sequence.epochs:,}"),
        (words["cpu_seconds"], f"{sequence.cpu_seconds:,.0f} s"),
        (words["events_per_second"], f"{sequence.events_per_second:,.0f}"),
    ]


def _cell(measure: str, figures: Figures) -> str:
    value = getattr(figures, measure)
    if value is None:
        return ""
    return f"{value:.2f}" if measure == "novelty" else f"{100 * value:.2f}%"
