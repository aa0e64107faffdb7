"""Smaller encoders: each is a folder that the encoder is loaded from like any other."""

from pathlib import Path

import numpy as np
import pytest
import transformers

from ml import weights
from ml.__main__ import main
from ml.adapters import Adapter
from ml.compress import int8, vocabulary
from ml.encoder import Encoder
from ml.errors import WeightsError

TEXTS = ["where is my parcel", "I want my money back", "我要退款", "几点开门？", "refund 100 €!"]
ENGLISH = weights.ENGLISH


@pytest.fixture(scope="module")
def english() -> Path:
    return weights.locate(ENGLISH, cache=Path())


def alike(one: Encoder, other: Encoder, texts: list[str] = TEXTS) -> float:
    return float((one.encode(texts) * other.encode(texts)).sum(1).min())


def test_int8_is_a_quarter_of_the_size_and_says_nearly_the_same(english: Path, tmp_path: Path):
    out = tmp_path / "small"
    int8.save(english, out)
    size = (out / int8.FILE).stat().st_size
    assert size < 0.3 * (english / "model.safetensors").stat().st_size
    before, after = Encoder.load(english, dtype="float32"), Encoder.load(out)
    assert 0.95 < alike(before, after) < 1
    assert after.fingerprint != before.fingerprint


def test_a_tenant_s_adapter_works_beside_int8_as_beside_float(english: Path, tmp_path: Path):
    int8.save(english, tmp_path / "small")
    served = Encoder.load(tmp_path / "small")
    rng = np.random.default_rng(0)
    path = "encoder.layer.2.output.dense"
    tensors = {
        f"{path}.a": rng.normal(0, 0.2, (4, 1536)).astype(np.float32),
        f"{path}.b": rng.normal(0, 0.2, (384, 4)).astype(np.float32),
    }
    adapter = Adapter(encoder=served.fingerprint, tensors=tensors)
    plain, changed = served.encode(TEXTS), served.encode(TEXTS, adapter=adapter)
    assert (plain * changed).sum(1).max() < 0.99
    mixed = served.encode(TEXTS, adapter=[None, adapter, None, adapter, None])
    np.testing.assert_allclose(mixed[0::2], plain[0::2], atol=0.1)
    assert (mixed[1::2] * changed[1::2]).sum(1).min() > 0.95


def test_a_damaged_int8_folder_is_told(english: Path, tmp_path: Path):
    out = tmp_path / "small"
    int8.save(english, out)
    (out / int8.FILE).write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="cannot be loaded"):
        Encoder.load(out)


def test_a_pruned_vocabulary_leaves_both_languages_as_they_were(
    weights_folder: Path, encoder: Encoder, tmp_path: Path
):
    out = tmp_path / "small"
    vocabulary.prune(weights_folder, out)
    assert (out / "model.safetensors").stat().st_size < 0.6 * 470e6
    before = Encoder.load(weights_folder, dtype="float32")
    assert alike(before, Encoder.load(out, dtype="float32")) > 0.9999


@pytest.fixture
def tiny(english: Path, tmp_path: Path) -> Path:
    """An untrained encoder of four narrow layers, with a real vocabulary."""
    config = transformers.BertConfig(
        **{"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2},
        **{"intermediate_size": 64, "vocab_size": 30_522},
    )
    folder = tmp_path / "tiny"
    transformers.BertModel(config).save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes((english / "tokenizer.json").read_bytes())
    return folder


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    rows = "text,label\n" + "".join(f"{text} {n},{n % 2}\n" for n, text in enumerate(TEXTS * 2))
    (tmp_path / "rows.csv").write_text(rows, encoding="utf-8")
    (tmp_path / "lines.txt").write_text("\n".join(TEXTS * 4), encoding="utf-8")
    csv = str(tmp_path / "rows.csv")
    return ["--train", csv, "--test", csv]


@pytest.mark.parametrize(
    ("way", "told"),
    [
        (["bf16"], {}),
        (["int8"], {}),
        (["prune", "--layers", "2", "--width", "16"], {"intermediate_size": 16}),
        (["distil", "--layers", "1"], {"num_hidden_layers": 1}),
    ],
)
def test_each_command_prints_before_and_after(
    way: list[str], told: dict[str, int], tiny: Path, files: list[str], tmp_path: Path, capsys
):
    name, *more = way
    if name in ("prune", "distil"):
        more += ["--texts", str(tmp_path / "lines.txt")]
    if name == "distil":
        more += ["--student", str(tiny)]
    out = tmp_path / "out"
    teacher = ENGLISH if name == "distil" else str(tiny)  # twelve times as wide as the student
    code = main(["--encoder", teacher, "compress", name, str(out), *more, *files])
    printed, log = capsys.readouterr()
    assert code == 0, log
    assert [line.split("  ")[0] for line in printed.splitlines()[1:]] == [
        *("before, float32", "before, bfloat16", "after")
    ]
    config = Encoder.load(out)._model.config
    assert {name: getattr(config, name) for name in told} == told
    assert ("step" in log) == (name in ("prune", "distil"))


def test_teaching_brings_a_cut_encoder_nearer_to_the_whole_one(english: Path, tmp_path: Path):
    whole = Encoder.load(english, dtype="float32")
    (tmp_path / "lines.txt").write_text("\n".join(TEXTS * 40), encoding="utf-8")
    found = {}
    for epochs in ("0", "2"):
        out = tmp_path / epochs
        more = ["--layers", "4", "--texts", str(tmp_path / "lines.txt"), "--epochs", epochs]
        assert main(["--encoder", ENGLISH, "compress", "prune", str(out), *more]) == 0
        found[epochs] = alike(whole, Encoder.load(out, dtype="float32"))
    assert found["2"] > found["0"] + 0.05


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["prune", "OUT", "--texts", "LINES"], "--layers, --width or both"),
        (["prune", "OUT", "--texts", "LINES", "--layers", "9"], "has 4 layers"),
        (["prune", "OUT", "--texts", "LINES", "--width", "0"], "are 64 wide"),
        (["prune", "OUT", "--texts", "EMPTY", "--layers", "2"], "fewer than two texts"),
        (["prune", "OUT", "--texts", "NONE", "--layers", "2"], "No such file"),
        (["distil", "OUT", "--texts", "LINES", "--student", "/none"], "no model folder"),
        (["int8", "LINES"], "exists already"),
    ],
)
def test_bad_input_is_one_clear_line_and_leaves_nothing(
    arguments: list[str], said: str, tiny: Path, files: list[str], tmp_path: Path, capsys
):
    (tmp_path / "empty.txt").write_text("\n")
    named = {name: str(tmp_path / f"{name.lower()}.txt") for name in ("LINES", "EMPTY", "NONE")}
    named["OUT"] = str(tmp_path / "out")
    before = sorted(tmp_path.iterdir())
    code = main(["--encoder", str(tiny), "compress", *(named.get(a, a) for a in arguments)])
    assert (code, said in (log := capsys.readouterr().err)) == (1, True), log
    assert "Traceback" not in log
    assert sorted(tmp_path.iterdir()) == before
