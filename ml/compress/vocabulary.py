"""A smaller vocabulary: the word pieces that English and Chinese need, and no others.

Most of a small multilingual encoder is its table of word pieces (Abdaoui et al. 2020,
arXiv:2010.05609). A text in the kept scripts is cut into the same pieces as before, and has the
same vector; one in another script is mostly unknown pieces.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ml.compress import folder
from ml.errors import WeightsError

# ASCII, the mark of a word's beginning, punctuation, currencies, Chinese, full-width forms, emoji.
KEPT = re.compile(
    "[\u0000-\u007e\u00a3\u00a5\u00b0\u00b7\u2010-\u205e\u20ac\u2581\u2600-\u27bf\u3000-\u303f"
    "\u3400-\u9fff\uff00-\uffef\U0001f300-\U0001faff]*"
)


def prune(source: Path, out: Path) -> None:
    """Writes the encoder of `source` with the smaller vocabulary.

    Raises `WeightsError` for a tokenizer that is neither Unigram nor WordPiece.
    """
    import torch

    from ml.encoder import load_model

    try:
        content = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{source} has no tokenizer.json that can be read") from error
    kept = _kept(content, source)
    model = load_model(source, "float32")
    table = model.get_input_embeddings()
    smaller = torch.nn.Embedding(
        len(kept), table.embedding_dim, _weight=table.weight.detach()[kept]
    )
    _renumber(content, {old: new for new, old in enumerate(kept)})
    model.set_input_embeddings(smaller)
    model.config.vocab_size = len(kept)
    new = {old: place for place, old in enumerate(kept)}
    for name in ("pad_token_id", "bos_token_id", "eos_token_id", "sep_token_id", "cls_token_id"):
        old = getattr(model.config, name, None)
        if old is not None:
            setattr(model.config, name, new.get(old))
    folder.save(model, source, out, tokenizer=json.dumps(content, ensure_ascii=False))


def _kept(content: dict[str, Any], source: Path) -> list[int]:
    """The ids to keep, in their order."""
    kind, pieces = content["model"]["type"], content["model"]["vocab"]
    if kind == "Unigram":
        names = {number: piece for number, (piece, _) in enumerate(pieces)}
    elif kind == "WordPiece":
        names = {number: piece for piece, number in pieces.items()}
    else:
        raise WeightsError(
            f"the tokenizer of {source} is of the kind {kind!r}; only Unigram and WordPiece can "
            "be made smaller"
        )
    special = {token["id"] for token in content["added_tokens"]}
    return sorted(n for n, piece in names.items() if n in special or KEPT.fullmatch(piece))


def _renumber(content: dict[str, Any], new: dict[int, int]) -> None:
    model = content["model"]
    if model["type"] == "Unigram":
        model["vocab"] = [model["vocab"][old] for old in new]
        model["unk_id"] = new[model["unk_id"]]
    else:
        model["vocab"] = {piece: new[old] for piece, old in model["vocab"].items() if old in new}
    for token in content["added_tokens"]:
        token["id"] = new[token["id"]]
    after = content.get("post_processor") or {}
    for token in (after.get("special_tokens") or {}).values():
        token["ids"] = [new[old] for old in token["ids"]]
