import pytest


@pytest.fixture(autouse=True)
def _artifacts(settings, tmp_path) -> None:
    """Models of a test go where they go away, and are tried out on a few texts only."""
    settings.ARTIFACTS = tmp_path / "artifacts"
    settings.TRIAL_TEXTS = 3
