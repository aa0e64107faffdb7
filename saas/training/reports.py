"""The report of a model version, read from its files."""

from __future__ import annotations

from ml import intent
from ml.errors import ArtifactError
from ml.report import Report
from saas.errors import Conflict, Problem
from saas.training import store
from saas.training.models import Kind, ModelVersion


class NoReport(Problem):
    status_code = 404
    default_code = "no_report"


def read(version: ModelVersion) -> Report:
    """The version's report. Raises NoReport, and Conflict where its files are gone."""
    if version.kind != Kind.INTENT:
        raise NoReport("Only intent models have a report. See `metrics` of this version.")
    try:
        values = intent.read_report(store.folder(version.kind, version.pk))
    except ArtifactError as error:
        raise Conflict(
            "The files of this version are gone or damaged. Train again.", code="version_gone"
        ) from error
    if not values:
        raise NoReport("This version was made before there were reports. Train again.")
    return Report.from_json(values)
