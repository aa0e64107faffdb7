"""What is known of a recommender: its figures on held-out days, beside those of simpler models."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ml.recommend.evaluation import CLASSES

MEASURES = ("ndcg10", "recall10", "mrr10", "coverage", "novelty", "diversity", "debiased_ndcg10")


@dataclass(frozen=True, slots=True)
class Part:
    """Customers, or what they took, of one class: how many, and NDCG@10, None of nobody."""

    count: int
    ndcg10: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one model, as `Exam.figures` gives them; `customers` and `items` by CLASSES."""

    ndcg10: float
    recall10: float
    mrr10: float
    coverage: float
    novelty: float
    diversity: float | None
    debiased_ndcg10: float
    customers: dict[str, Part]
    items: dict[str, Part]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        return cls(
            **{name: values[name] for name in MEASURES},
            customers={name: Part(**values["customers"][name]) for name in CLASSES},
            items={name: Part(**values["items"][name]) for name in CLASSES},
        )


@dataclass(frozen=True, slots=True)
class SequenceTraining:
    """The training of a sequence model on a past: passes, CPU-seconds, events a second."""

    epochs: int
    cpu_seconds: float
    events_per_second: float

    @classmethod
    def of(cls, values: Mapping[str, float]) -> Self:
        return cls(int(values["epochs"]), values["cpu_seconds"], values["events_per_second"])


@dataclass(frozen=True, slots=True)
class RecommendReport:
    """Figures over `held_out` customers who came back, of the model that serves and of each that it
    was compared with; without figures where too few came back to measure anything.
    """

    held_out: int
    figures: Figures | None
    models: dict[str, Figures]
    sequence: SequenceTraining | None

    @classmethod
    def of(cls, metrics: Mapping[str, Any]) -> Self:
        """From `Recommender.metrics`."""
        if not metrics:
            return cls(0, None, {}, None)
        training = metrics.get("sequence")
        return cls(
            metrics["held_out"],
            Figures.of(metrics),
            {name: Figures.of(values) for name, values in metrics["models"].items()},
            SequenceTraining.of(training) if training else None,
        )
