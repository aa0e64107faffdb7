"""The report of a model: what its tables and curves say of texts that it did not learn from."""

import json
from pathlib import Path

import numpy as np
import pytest

from ml import artifact, evidence, metrics
from ml.evidence import NOTHING_HELD_OUT, Evidence
from ml.head import softmax
from ml.intent import IntentModel, read_report
from ml.report import Confusion, Cut, IntentRow, Report, RocPoint

LABELS = ["退款", "order_status", "password"]
# Five texts: two refunds (one taken for an order), one order, two passwords.
TRUTH = np.array([0, 0, 1, 2, 2])
CHANCES = np.array(
    [[0.9, 0.05, 0.05], [0.3, 0.6, 0.1], [0.1, 0.8, 0.1], [0.0, 0.0, 1.0], [0.1, 0.1, 0.8]]
)
KNOWN = np.array([4.0, 0.0, 2.0, 3.0, 1.0], dtype=np.float32)


def told(**changes):
    given = {"truth": TRUTH, "chances": CHANCES, "known": KNOWN, "threshold": 0.5} | changes
    return evidence.describe(Evidence(**given), LABELS)


def test_scores() -> None:
    scores = told().scores
    assert (scores.texts, scores.accuracy) == (5, 0.8)
    assert scores.macro_f1 == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert scores.roc_auc == pytest.approx((1 + 1 + 1) / 3)


def test_the_weakest_intent_comes_first() -> None:
    rows = told().intents
    assert rows[0] == IntentRow("order_status", 0.5, 1.0, pytest.approx(2 / 3), 1)
    assert rows[1] == IntentRow("退款", 1.0, 0.5, pytest.approx(2 / 3), 2)
    assert rows[2] == IntentRow("password", 1.0, 1.0, 1.0, 2)


def test_confusions_are_counted() -> None:
    assert told().confusions == (Confusion("退款", "order_status", 1),)
    assert told(truth=CHANCES.argmax(axis=1)).confusions == ()


def test_the_calibration_error_is_that_of_the_plot() -> None:
    found = told()
    assert sum(part.count for part in found.bins) == 5
    error = sum(part.count * abs(part.confidence - part.accuracy) for part in found.bins) / 5
    assert found.scores.ece == pytest.approx(error)


def test_cuts_trade_coverage_for_precision() -> None:
    found = told()
    assert found.cuts[0] == Cut(0.0, 1.0, 0.8)
    assert found.cuts[-1] == Cut(4.0, 0.2, 1.0)
    assert found.chosen == Cut(0.5, 0.8, 1.0)
    assert told(threshold=9.0).chosen == Cut(9.0, 0.0, None)


def test_texts_out_of_scope_are_told_apart() -> None:
    strange = np.array([-1.0, 0.25], dtype=np.float32)
    (found,) = told(unknown={"oos": strange}).unknown
    assert (found.kind, found.texts, found.recall) == ("oos", 2, 1.0)
    assert found.auroc == pytest.approx(0.9)
    assert found.curve[0] == RocPoint(0.0, 0.0)
    assert found.curve[-1] == RocPoint(1.0, 1.0)
    area = sum(
        (b.refused - a.refused) * (a.caught + b.caught) / 2
        for a, b in zip(found.curve, found.curve[1:], strict=False)
    )
    assert area == pytest.approx(found.auroc)


def test_one_against_the_rest_agrees_with_the_reference() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(1)
    truth = rng.integers(0, 4, 200)
    chances = softmax(rng.normal(size=(200, 4)).round(1) + 0.7 * np.eye(4)[truth])
    expected = roc_auc_score(truth, chances, multi_class="ovr", average="macro")
    assert metrics.macro_auroc(truth, chances) == pytest.approx(expected)


def test_of_one_class_there_is_nothing_to_tell_apart() -> None:
    assert metrics.macro_auroc(np.zeros(3, dtype=np.intp), np.ones((3, 1))) is None


def blobs(shots: int, intents: int = 5, seed: int = 0):
    """Vectors around one centre for each intent, and what they are."""
    rng = np.random.default_rng(seed)
    classes = np.repeat(np.arange(intents), shots)
    vectors = np.eye(intents, 16)[classes] + 0.35 * rng.normal(size=(len(classes), 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), [f"intent {number}" for number in classes]


def test_a_fitted_model_has_its_report() -> None:
    model = IntentModel.fit(*blobs(20))
    report = Report.from_json(model.report)
    assert (report.step, report.examples, report.notes) == ("instant", 100, ())
    assert report.held_out.scores.accuracy == model.metrics["accuracy"]
    assert report.held_out.scores.ece == pytest.approx(model.metrics["ece"])
    assert report.held_out.chosen.coverage == pytest.approx(model.metrics["in_scope_recall"])
    (unknown,) = report.held_out.unknown
    assert unknown.auroc == pytest.approx(model.metrics["oos_auroc"])
    assert report.cost.seconds > 0


def test_more_examples_are_learned_from_in_the_curve() -> None:
    report = Report.from_json(IntentModel.fit(*blobs(20)).report)
    assert report.learning.unit == "examples"
    assert [point.at for point in report.learning.points] == [10, 20, 40, 80]
    first, *_, last = report.learning.points
    assert last.accuracy > first.accuracy


def test_where_nothing_can_be_held_out_the_report_says_why() -> None:
    report = Report.from_json(IntentModel.fit(*blobs(1)).report)
    assert (report.held_out, report.learning) == (None, None)
    assert report.notes == (NOTHING_HELD_OUT,)


def test_it_is_plain_json_and_comes_back_whole(tmp_path: Path) -> None:
    model = IntentModel.fit(*blobs(4))
    model.save(tmp_path / "model")
    text = json.dumps(read_report(tmp_path / "model"), allow_nan=False)
    assert Report.from_json(json.loads(text)) == Report.from_json(model.report)
    assert IntentModel.load(tmp_path / "model").report == json.loads(text)


def test_a_model_from_before_reports_has_none(tmp_path: Path) -> None:
    IntentModel.fit(*blobs(4)).save(tmp_path / "new")
    tensors, meta = artifact.load(tmp_path / "new", kind="intent")
    meta.pop("report")
    artifact.save(tmp_path / "old", kind="intent", tensors=tensors, meta=meta)
    assert read_report(tmp_path / "old") == {}
    assert IntentModel.load(tmp_path / "old").report == {}
