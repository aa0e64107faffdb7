import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ml import weights
from ml.__main__ import main
from ml.encoder import Encoder
from ml.intent import IntentModel
from ml.wording import Wording

ROWS = "\n".join(
    f"{text},{label}"
    for label, texts in {
        "refund": ["I want my money back", "refund please", "我要退款", "退款到账了吗"],
        "hours": ["when do you open", "opening hours", "几点开门", "营业时间"],
    }.items()
    for text in texts
)


@pytest.fixture
def run(
    weights_folder: Path,
    encoder: Encoder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setattr(Encoder, "load", lambda _: encoder)  # once for all tests: it takes seconds

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main(["--encoder", str(weights_folder), *map(str, arguments)])
        return code, *capsys.readouterr()

    return run


def test_train_then_eval(run, tmp_path: Path):
    file, out = tmp_path / "a.csv", tmp_path / "model"
    file.write_text("text,intent\n" + ROWS, encoding="utf-8-sig")
    code, figures, log = run("train", "intent", file, out)
    assert code == 0
    assert "examples         8.0000" in figures
    assert "100% fitted 2 intents on 8 examples" in log
    code, figures, _ = run("eval", out, file)
    assert (code, "accuracy         1.0000" in figures) == (0, True)


def test_train_wording(run, tmp_path: Path):
    rows = [f"where is parcel {n},fine\nyou blorp {n},abuse" for n in range(20)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")

    code, figures, _ = run("train", "wording", tmp_path / "a.csv", tmp_path / "model")

    assert (code, "accuracy         1.0000" in figures) == (0, True)
    assert Wording.load(tmp_path / "model").predict(["blorp"]) == ["abuse"]


def test_tune_then_eval(run, tmp_path: Path):
    file, out, settings = tmp_path / "a.csv", tmp_path / "model", tmp_path / "c.json"
    file.write_text("text,intent\n" + ROWS, encoding="utf-8")
    settings.write_text('{"epochs": 1, "rank": 4, "refit": false, "held_out": 0.5}')
    (tmp_path / "u.txt").write_text("money back\n\n退钱\n", encoding="utf-8")
    code, figures, log = run(
        *("tune", "intent", file, out, "--config", settings, "--unlabelled", tmp_path / "u.txt")
    )
    assert code == 0
    assert "cpu_seconds" in figures
    assert "base: epoch 1: loss" in log
    assert [path.name for path in tmp_path.iterdir() if "checkpoint" in path.name] == []
    code, figures, _ = run("eval", out, file)
    assert (code, "accuracy         1.0000" in figures) == (0, True)


def test_two_processes_tune_one_model(tmp_path: Path):
    """As on two GPUs: each takes its part of every batch, and one of them keeps and tells the model."""
    file, settings = tmp_path / "a.csv", tmp_path / "c.json"
    file.write_text("text,intent\n" + ROWS, encoding="utf-8")
    settings.write_text('{"epochs": 1, "rank": 2, "threads": 1, "device": "cpu"}')
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    tune = ["-m", "ml", "--encoder", weights.ENGLISH, "tune", "intent", str(file)]
    done = subprocess.run(
        [*launch, *tune, str(tmp_path / "model"), "--config", str(settings)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("base: epoch 1: loss") == 2
    assert done.stdout.count("cpu_seconds") == 1
    assert IntentModel.load(tmp_path / "model").labels == ["hours", "refund"]


def test_tune_names_a_setting_that_it_does_not_know(run, tmp_path: Path):
    file, settings = tmp_path / "a.csv", tmp_path / "c.json"
    file.write_text("text,intent\n" + ROWS, encoding="utf-8")
    settings.write_text('{"epoch": 1}')
    code, _, log = run("tune", "intent", file, tmp_path / "model", "--config", settings)
    assert (code, "no setting epoch" in log) == (1, True)


def test_encode(run, tmp_path: Path):
    (tmp_path / "a.txt").write_text("hello\n你好\n", encoding="utf-8")
    assert run("encode", tmp_path / "a.txt", tmp_path / "a.npy")[0] == 0
    assert np.load(tmp_path / "a.npy").shape == (2, 384)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "needs the columns text and label"),
        (b"question,answer\na,b\n", "needs the columns text and label"),
        (b"text,label\n", "no examples"),
        (b"text,label\nhello,\n", "row 1: text and label must not be empty"),
        ("text,label\n退款,a\n".encode("gb18030"), "is not UTF-8"),
        (b"text,label\n" + b"x" * 200_000 + b",a\n", "cannot be read as CSV"),
    ],
)
def test_a_bad_file_is_one_clear_line(run, tmp_path: Path, content: bytes, said: str):
    (tmp_path / "a.csv").write_bytes(content)
    code, _, log = run("train", "intent", tmp_path / "a.csv", tmp_path / "model")
    assert code == 1
    assert said in log
    assert "Traceback" not in log
    assert not (tmp_path / "model").exists()


def test_a_missing_file_or_model_is_one_clear_line(run, tmp_path: Path):
    assert "No such file" in run("train", "intent", tmp_path / "none.csv", tmp_path / "m")[2]
    assert "no saved model" in run("eval", tmp_path / "none", tmp_path / "none.csv")[2]
