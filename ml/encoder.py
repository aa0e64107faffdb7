"""Texts to vectors: a frozen transformer encoder with pooling, normalised to length one."""

import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from ml import weights
from ml.adapters import Adapter, AdapterBank
from ml.compress import int8
from ml.errors import WeightsError
from ml.sentences import Span
from ml.types import Progress, Vectors

Kind = Literal["query", "passage"]

Adapters = Adapter | None | Sequence[Adapter | None]
"""One for all texts, or one for each."""

MAX_TOKENS = 512
MAX_CHARACTERS = 16_384  # far more than 512 tokens of any language; the rest is never read
BATCH_TOKENS = 4_096  # what a batch may hold, so that long texts come in small batches


class Encoder:
    """One transformer in memory. Safe to call from several threads.

    Load it in the process that uses it: PyTorch's threads do not survive a fork.
    """

    def __init__(
        self, model: Any, tokenizer: Any, *, recipe: weights.Recipe, fingerprint: str, pad: int
    ) -> None:
        self._model = model
        self._bank = AdapterBank(model, encoder=fingerprint)
        self._tokenizer = tokenizer
        self._recipe = recipe
        self._pad = pad
        self._tokenizing = threading.Lock()
        self.fingerprint = fingerprint
        self.dimension = int(model.config.hidden_size)

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        device: str | None = None,
        dtype: str | None = None,
        threads: int | None = None,
    ) -> Self:
        """Loads the encoder from a Hugging Face folder (see `ml.weights.locate`).

        Without a device it is the GPU where there is one. Without a dtype ("float32", "bfloat16")
        it is bfloat16 on a GPU, and on a CPU where a short measurement finds it clearly faster.
        An encoder saved in int8 (`ml.compress.int8`) computes in int8 on a CPU, whatever the dtype.
        `threads` sets PyTorch's threads for the whole process. Raises `WeightsError` when the
        folder does not hold a model that can be read.
        """
        import torch

        if threads:
            torch.set_num_threads(threads)
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        dtype = dtype or ("bfloat16" if device != "cpu" or bfloat16_is_faster() else "float32")
        recipe = weights.recipe(folder)
        if device == "cpu" and int8.is_int8(folder):
            model = int8.quantise(load_model(folder, "float32"))
        else:
            model = load_model(folder, dtype).to(device)
        tokenizer, pad = load_tokenizer(folder, model.config)
        fingerprint = fingerprint_of(folder, recipe)
        return cls(model, tokenizer, recipe=recipe, fingerprint=fingerprint, pad=pad)

    def encode(
        self,
        texts: Sequence[str],
        *,
        kind: Kind = "query",
        adapter: Adapters = None,
        batch_size: int = 64,
        progress: Progress | None = None,
    ) -> Vectors:
        """float32[n, d], every row of length one, in the order of the texts.

        A text is read up to its 512th token. An empty text has a vector too. `kind` chooses the
        prefix: "query" for what customers write, "passage" for what is searched. `adapter` is a
        tenant's for all texts, or one for each; None is the encoder as it is. Raises `ModelError`
        for an adapter that is not this encoder's.
        """
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        prefix = self._recipe.query if kind == "query" else self._recipe.passage
        tokens = self._tokenize(texts, prefix)
        adapters = one_each(adapter, len(texts))
        for rows, states, mask in self._passes(tokens, adapters, batch_size, progress):
            vectors[rows] = _unit(self._pooled(states, mask))
        return vectors

    def encode_parts(
        self,
        texts: Sequence[str],
        spans: Sequence[Sequence[Span]],
        *,
        adapter: Adapter | None = None,
        batch_size: int = 64,
        progress: Progress | None = None,
    ) -> tuple[Vectors, list[Vectors]]:
        """What `encode` says of each passage, float32[n, d], and of its parts, float32[spans, d] each.

        A part's vector is the mean of its tokens as the whole text's one pass leaves them (late
        chunking, Günther et al. 2024, arXiv:2409.04701): it costs nothing, and knows what the text is
        about. A part behind the text's last token that is read has the vector of the whole.
        """
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        parts: list[Vectors] = [vectors[:0]] * len(texts)
        prefix = self._recipe.passage
        with self._tokenizing:
            read = self._tokenizer.encode_batch([prefix + clean(text) for text in texts])
        tokens = [one.ids for one in read]
        adapters = one_each(adapter, len(texts))
        for rows, states, mask in self._passes(tokens, adapters, batch_size, progress):
            vectors[rows] = _unit(self._pooled(states, mask))
            for place, row in enumerate(rows):
                shift = len(prefix) - (len(texts[row]) - len(texts[row].lstrip()))
                which = _tokens_of(spans[row], read[row].offsets, shift=shift)
                pooled = which.to(states.device) @ states[place, : which.shape[1]]
                there = which.any(dim=1).numpy()
                parts[row] = np.where(there[:, None], _unit(pooled), vectors[row])
        return vectors, parts

    def tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has, all of it, without what the encoder adds."""
        cleaned = [clean(text) for text in texts]
        with self._tokenizing:
            found = self._tokenizer.encode_batch_fast(cleaned, add_special_tokens=False)
        return [len(e.ids) + sum(len(rest.ids) for rest in e.overflowing) for e in found]

    def _tokenize(self, texts: Sequence[str], prefix: str) -> list[list[int]]:
        cleaned = [prefix + clean(text) for text in texts]
        with self._tokenizing:
            return [e.ids for e in self._tokenizer.encode_batch_fast(cleaned)]

    def _passes(
        self,
        tokens: list[list[int]],
        adapters: Sequence[Adapter | None],
        batch_size: int,
        progress: Progress | None,
    ) -> Iterator[tuple[list[int], Any, Any]]:
        """Rows, with what the model makes of their tokens: by length, and told of."""
        import torch

        done = 0
        for rows in length_batches([len(ids) for ids in tokens], batch_size):
            with torch.inference_mode(), self._bank.beside([adapters[row] for row in rows]):
                states, mask = self._states([tokens[row] for row in rows])
            yield rows, states, mask
            done += len(rows)
            if progress:
                progress(done / len(tokens), f"encoded {done} of {len(tokens)} texts")

    def _states(self, tokens: list[list[int]]) -> tuple[Any, Any]:
        """What the model makes of each token, float32[n, longest, d], and where there are any."""
        import torch

        lengths = [len(ids) for ids in tokens]
        longest = max(lengths)
        padded = [ids + [self._pad] * (longest - len(ids)) for ids in tokens]
        ids = torch.tensor(padded, device=self._model.device)
        mask = None
        if min(lengths) < longest:  # without a mask attention takes its fastest path
            counts = torch.tensor(lengths, device=ids.device)
            mask = torch.arange(longest, device=ids.device)[None, :] < counts[:, None]
        return self._model(input_ids=ids, attention_mask=mask).last_hidden_state.float(), mask

    def _pooled(self, states: Any, mask: Any) -> Any:
        if self._recipe.pooling == "cls":
            return states[:, 0]
        if mask is None:
            return states.mean(1)
        return (states * mask[:, :, None]).sum(1)  # the length of a sum is normalised away


def _unit(pooled: Any) -> Vectors:
    import torch

    vectors: Vectors = torch.nn.functional.normalize(pooled, dim=1).cpu().numpy()
    return vectors


def _tokens_of(spans: Sequence[Span], offsets: list[tuple[int, int]], *, shift: int) -> Any:
    """float32[spans, tokens]: 1 where a token has characters of the span, both moved by `shift`."""
    import torch

    if not spans:
        return torch.zeros((0, len(offsets)))
    begins, ends = torch.tensor(offsets).T
    starts = torch.tensor([span.start + shift for span in spans])[:, None]
    stops = torch.tensor([span.end + shift for span in spans])[:, None]
    return ((begins < stops) & (ends > starts) & (begins < ends)).float()


def one_each(adapter: Adapters, count: int) -> Sequence[Adapter | None]:
    """An adapter for each of so many texts."""
    if adapter is None or isinstance(adapter, Adapter):
        return [adapter] * count
    if len(adapter) != count:
        raise ValueError(f"{len(adapter)} adapters for {count} texts")
    return adapter


def load_model(folder: Path, dtype: str) -> Any:
    """The bare transformer of a Hugging Face folder, frozen. Raises `WeightsError`."""
    import torch
    import transformers

    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if int8.is_int8(folder):
        return int8.load(folder, dtype)
    try:
        model = transformers.AutoModel.from_pretrained(
            folder, dtype=getattr(torch, dtype), local_files_only=True
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise WeightsError(f"the encoder in {folder} cannot be loaded: {error}") from error
    if getattr(model, "pooler", None) is not None:
        model.pooler = None  # its output is not used
    return model.eval().requires_grad_(False)


def load_tokenizer(folder: Path, config: Any) -> tuple[Any, int]:
    """The fast tokenizer and the id that pads a batch."""
    from tokenizers import Tokenizer

    if (folder / "tokenizer.json").is_file():
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    else:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True).backend_tokenizer
    tokenizer.no_padding()
    tokenizer.enable_truncation(min(MAX_TOKENS, config.max_position_embeddings))
    return tokenizer, int(config.pad_token_id or 0)


def clean(text: str) -> str:
    """What of a text the tokenizer is given, character for character."""
    # Half a surrogate pair, which a broken client can send, is no Unicode the tokenizer takes.
    return text.strip()[:MAX_CHARACTERS].encode(errors="replace").decode()


def length_batches(lengths: list[int], batch_size: int) -> Iterator[list[int]]:
    """Rows of similar length together, so that little is spent on padding."""
    rows: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if rows and (len(rows) >= batch_size or (len(rows) + 1) * lengths[row] > BATCH_TOKENS):
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


def fingerprint_of(folder: Path, recipe: weights.Recipe) -> str:
    """Names the weights and the recipe. Samples the weights: all of them would take a second."""
    digest = hashlib.sha256(repr(recipe).encode())
    for path in [*sorted(folder.glob("*.safetensors")), folder / "config.json"]:
        size = path.stat().st_size
        digest.update(f"{path.name} {size}".encode())
        with path.open("rb") as file:
            for part in range(64):
                file.seek(size * part // 64)
                digest.update(file.read(4096))
    return digest.hexdigest()[:16]


@cache
def bfloat16_is_faster() -> bool:
    """Whether this CPU multiplies bfloat16 matrices clearly faster, for one text and for many.

    Measured once in a process: on a busy machine a second answer could differ from the first.
    Without instructions for it (AVX512-BF16, AMX) bfloat16 is several times slower than float32.
    """
    import torch

    def seconds(rows: int, dtype: torch.dtype) -> float:
        layer = torch.nn.Linear(384, 1536, dtype=dtype)
        batch = torch.zeros(rows, 384, dtype=dtype)
        times = []
        with torch.inference_mode():
            for _ in range(4):
                start = time.perf_counter()
                layer(batch)
                times.append(time.perf_counter() - start)
        return min(times)

    return all(
        seconds(rows, torch.float32) > 1.3 * seconds(rows, torch.bfloat16) for rows in (16, 256)
    )
