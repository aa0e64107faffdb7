import pytest


@pytest.fixture(autouse=True)
def _artifacts(settings, tmp_path) -> None:
    """Models of a test go where they go away."""
    settings.ARTIFACTS = tmp_path / "artifacts"
    settings.DOCUMENTS = tmp_path / "documents"
