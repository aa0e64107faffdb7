import threading
from pathlib import Path

import numpy as np
import pytest

from ml.adapters import Adapter, halfway
from ml.encoder import Encoder
from ml.engine import Engine
from ml.errors import ModelError

QUERY = "encoder.layer.{}.attention.self.query"
TEXTS = ["Where is my parcel?", "我的快递到哪了", "I want my money back, please", "hi"]


@pytest.fixture(scope="module")
def plain(weights_folder: Path) -> Encoder:
    """In float32, so that sums differ by rounding only."""
    return Encoder.load(weights_folder, dtype="float32")


def adapter_of(encoder: Encoder, seed: int, *, rank: int = 4, layers: int = 2) -> Adapter:
    """A change that is large enough to be seen, in the first layers."""
    rng = np.random.default_rng(seed)
    width, tensors = encoder.dimension, {}
    for layer in range(layers):
        path = QUERY.format(layer)
        tensors[f"{path}.a"] = rng.normal(size=(rank, width)).astype(np.float32)
        tensors[f"{path}.b"] = rng.normal(size=(width, rank)).astype(np.float32) / 2
    return Adapter(encoder=encoder.fingerprint, tensors=tensors)


def doubled(adapter: Adapter) -> Adapter:
    """The same change in twice the rank."""
    wider = {
        name: np.concatenate([tensor, np.zeros_like(tensor)], axis=0 if name[-1] == "a" else 1)
        for name, tensor in adapter.tensors.items()
    }
    return Adapter(encoder=adapter.encoder, tensors=wider)


def test_an_adapter_moves_the_vectors_and_is_gone_afterwards(plain: Encoder):
    before = plain.encode(TEXTS)
    adapted = plain.encode(TEXTS, adapter=adapter_of(plain, 1))
    assert np.abs(adapted - before).max() > 0.05
    assert np.allclose(np.linalg.norm(adapted, axis=1), 1, atol=1e-5)
    assert np.array_equal(plain.encode(TEXTS), before)


def test_every_row_of_a_mixed_batch_has_its_own_adapter(plain: Encoder):
    """Of different rank and layers, beside rows with none, and in any order."""
    one = adapter_of(plain, 1)
    other = adapter_of(plain, 2, rank=7, layers=3)
    adapters = [one, None, other, one]
    mixed = plain.encode(TEXTS, adapter=adapters)
    alone = np.concatenate(
        [plain.encode([t], adapter=a) for t, a in zip(TEXTS, adapters, strict=True)]
    )
    assert np.allclose(mixed, alone, atol=1e-4)
    assert not np.allclose(mixed[2], plain.encode([TEXTS[2]], adapter=one)[0], atol=1e-2)


def test_an_adapter_is_what_peft_would_merge(plain: Encoder, weights_folder: Path):
    merged = Encoder.load(weights_folder, dtype="float32")
    adapter = adapter_of(plain, 3)
    layers = dict(merged._model.named_modules())
    for name in {path.rpartition(".")[0] for path in adapter.tensors}:
        change = adapter.tensors[f"{name}.b"] @ adapter.tensors[f"{name}.a"]
        layers[name].weight.data += layers[name].weight.new_tensor(change)
    assert np.allclose(plain.encode(TEXTS, adapter=adapter), merged.encode(TEXTS), atol=1e-4)


def test_halfway_between_two_adapters_is_the_mean_of_their_changes(plain: Encoder):
    # In half the rank they have, so that nothing is left out of the mean.
    one, other = (doubled(adapter_of(plain, seed, rank=2)) for seed in (1, 2))
    mean = halfway(one, other)
    assert mean.rank == one.rank == 4
    for layer in (QUERY.format(0), QUERY.format(1)):
        changes = [a.tensors[f"{layer}.b"] @ a.tensors[f"{layer}.a"] for a in (one, other, mean)]
        assert np.allclose(changes[2], (changes[0] + changes[1]) / 2, atol=1e-4)


def test_threads_do_not_see_each_others_adapters(plain: Encoder):
    adapters = [None, *(adapter_of(plain, seed) for seed in range(3))]
    wanted = [plain.encode(TEXTS, adapter=adapter) for adapter in adapters]
    wrong: list[int] = []

    def encode(number: int) -> None:
        for _ in range(5):
            found = plain.encode(TEXTS, adapter=adapters[number])
            if not np.allclose(found, wanted[number], atol=1e-4):
                wrong.append(number)

    threads = [threading.Thread(target=encode, args=(n,)) for n in range(len(adapters))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_engine_serves_tenants_with_different_adapters_in_one_pass(plain: Encoder):
    adapters = [adapter_of(plain, 1), None, adapter_of(plain, 2), None]
    wanted = [plain.encode([t], adapter=a) for t, a in zip(TEXTS, adapters, strict=True)]
    engine, found = Engine(plain, max_wait_ms=50), {}

    def ask(number: int) -> None:
        found[number] = engine.encode([TEXTS[number]], adapter=adapters[number])

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(len(TEXTS))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.close()
    for number, vectors in enumerate(wanted):
        assert np.allclose(found[number], vectors, atol=1e-4)


def test_an_adapter_of_another_encoder_is_refused(plain: Encoder):
    stranger = Adapter(encoder="another", tensors=adapter_of(plain, 1).tensors)
    with pytest.raises(ModelError, match="belongs to the encoder another"):
        plain.encode(["hi"], adapter=stranger)


@pytest.mark.parametrize(
    ("path", "a", "b", "message"),
    [
        ("encoder.layer.99.attention.self.query", (4, 384), (384, 4), "does not fit"),
        (QUERY.format(0), (4, 100), (384, 4), "other shapes"),
        (QUERY.format(0), (4, 384), (384, 5), "other shapes"),
    ],
)
def test_an_adapter_that_does_not_fit_is_named(
    plain: Encoder, path: str, a: tuple[int, int], b: tuple[int, int], message: str
):
    tensors = {f"{path}.a": np.ones(a, np.float32), f"{path}.b": np.ones(b, np.float32)}
    with pytest.raises(ModelError, match=message):
        plain.encode(["hi"], adapter=Adapter(encoder=plain.fingerprint, tensors=tensors))


def test_as_many_adapters_as_texts(plain: Encoder):
    with pytest.raises(ValueError, match="1 adapters for 2 texts"):
        plain.encode(["hi", "ho"], adapter=[None])


def test_an_adapter_is_named_by_its_content(plain: Encoder):
    assert adapter_of(plain, 1).space == adapter_of(plain, 1).space
    assert adapter_of(plain, 1).name != adapter_of(plain, 2).name
