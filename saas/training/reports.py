"""The report of a model version."""

from __future__ import annotations

from ml import intent
from ml.errors import ArtifactError
from ml.recommend.report import RecommendReport
from ml.report import Report
from saas.errors import Conflict, Problem
from saas.training import store
from saas.training.models import Kind, ModelVersion

OLD = "This version was made before there were reports. Train again."


class NoReport(Problem):
    status_code = 404
    default_code = "no_report"


def read(version: ModelVersion) -> Report | RecommendReport:
    """The version's report. Raises NoReport, and Conflict where its files are gone."""
    if version.kind == Kind.RECOMMEND:
        if version.metrics and "models" not in version.metrics:
            raise NoReport(OLD)
        return RecommendReport.of(version.metrics)
    try:
        values = intent.read_report(store.folder(version.kind, version.pk))
    except ArtifactError as error:
        raise Conflict(
            "The files of this version are gone or damaged. Train again.", code="version_gone"
        ) from error
    if not values:
        raise NoReport(OLD)
    return Report.from_json(values)
