import os
from pathlib import Path

import pytest

from ml import weights
from ml.encoder import Encoder


@pytest.fixture(scope="session")
def weights_folder() -> Path:
    """The bundled encoder, converted once and kept between runs."""
    cache = Path(os.environ.get("ENCODER_CACHE") or Path(__file__).parents[2] / "var" / "encoder")
    return weights.locate(None, cache=cache)


@pytest.fixture(scope="session")
def encoder(weights_folder: Path) -> Encoder:
    return Encoder.load(weights_folder)
