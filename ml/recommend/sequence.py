"""A transformer over a customer's past that scores what comes next."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.recommend.plan import Settings
from ml.recommend.sequences import Sequences, gap_classes
from ml.recommend.taste import Past
from ml.types import Progress, Tensors, Vectors

if TYPE_CHECKING:
    from ml.recommend.network import Network, Shape

EVERY = 5  # epochs between two judgements
PATIENCE = 15  # epochs without a better model, after which there is none to come
LOOKED_BACK = 10  # newest events whose part in a score is looked at


class SequenceModel:
    """Scores items after a history of events; see `Network`."""

    def __init__(self, network: "Network", metrics: dict[str, float]) -> None:
        import torch

        self._network = network.cpu().eval()
        self.metrics = metrics
        with torch.inference_mode():
            self.vectors: Vectors = network.vectors().float().numpy()

    @classmethod
    def fit(
        cls,
        sequences: Sequences,
        text: Vectors | None,
        wanted: Vectors,
        *,
        items: int,
        settings: Settings,
        seed: int = 0,
        device: str | None = None,
        progress: Progress | None = None,
        judge: Callable[["SequenceModel"], float] | None = None,
    ) -> Self:
        """Trains on all events, each of them predicting the next one.

        `text` is float32[items, d] of length one, or None. `wanted` is float32[kinds], how much an
        event of each kind counts as a target. `judge` gives the quality of a model so far, the
        higher the better: it is asked every few epochs, and the best model is kept. On a GPU where
        there is one. `metrics` holds epochs, loss, cpu_seconds and events_per_second.
        """
        import torch

        from ml.recommend.network import Network
        from ml.recommend.training import Training

        torch.manual_seed(seed)
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        table = None if text is None else torch.from_numpy(np.ascontiguousarray(text))
        network = Network(_shape(settings, items, len(wanted), text), table).to(device)
        training = Training(network, sequences, wanted, settings, seed=seed)
        started, cpu = time.perf_counter(), time.process_time()
        best, kept, epochs, loss = -1.0, None, settings.epochs, 0.0
        for epoch in range(1, settings.epochs + 1):
            loss = training.epoch()
            line = f"epoch {epoch}: loss {loss:.3f}"
            if judge and (epoch % EVERY == 0 or epoch == settings.epochs):
                quality = judge(cls(network, {}))
                line += f", held out {quality:.4f}"
                network.to(device)
                if quality > best:
                    best, epochs = quality, epoch
                    kept = {name: value.clone() for name, value in network.state_dict().items()}
            if progress:
                progress(epoch / settings.epochs, line)
            if kept is not None and epoch - epochs >= PATIENCE:
                break
        if kept is not None:
            network.load_state_dict(kept)
        return cls(
            network,
            {
                "epochs": float(epochs),
                "loss": loss,
                "cpu_seconds": time.process_time() - cpu,
                "events_per_second": training.seen / max(time.perf_counter() - started, 1e-9),
            },
        )

    def scores(self, past: Past, rows: NDArray[np.intp]) -> Vectors:
        """float32[rows]: how likely each of these items comes next, as logits."""
        return np.asarray(self.vectors[rows] @ self.read([past])[0])

    def falls(self, past: Past, rows: NDArray[np.intp]) -> tuple[NDArray[np.int64], Vectors]:
        """The distinct items among the newest events, int64[m], and by how much the scores of these
        rows fall without each of them, float32[m, rows] (occlusion)."""
        items = np.unique(past.items[-LOOKED_BACK:])
        others = [past.without(item) for item in items]
        left = [other for other in others if len(other.items)]
        read = self.read([past, *left])
        scores = read @ self.vectors[rows].T
        falls = np.tile(scores[0], (len(items), 1))  # without its only item nothing is left
        whole = np.array([len(other.items) > 0 for other in others])
        falls[whole] -= scores[1:]
        return items, falls

    def read(self, pasts: list[Past]) -> Vectors:
        """float32[pasts, width]: where each of these pasts leads; none of them may be empty."""
        import torch

        longest = self._network.shape.longest
        sizes = [min(longest, len(past.items)) for past in pasts]
        items, kinds, gaps = (np.zeros((len(pasts), max(sizes)), dtype=np.int64) for _ in range(3))
        for row, (past, size) in enumerate(zip(pasts, sizes, strict=True)):
            items[row, :size] = past.items[-size:]
            kinds[row, :size] = past.kinds[-size:]
            gaps[row, :size] = gap_classes(np.diff(past.days[-size:], append=past.now))
        with torch.inference_mode():
            hidden = self._network(
                torch.from_numpy(self.vectors[items]),
                torch.from_numpy(kinds),
                torch.from_numpy(gaps),
            )
            last = hidden[torch.arange(len(pasts)), torch.tensor(sizes) - 1]
        return np.asarray(last.float().numpy())

    def tensors(self) -> Tensors:
        return {
            f"sequence.{name}": value.detach().numpy()
            for name, value in self._network.state_dict().items()
        }

    def meta(self) -> dict[str, Any]:
        return {"shape": asdict(self._network.shape), "metrics": self.metrics}

    @classmethod
    def of(cls, tensors: Tensors, meta: dict[str, Any], text: Vectors | None) -> Self:
        """The model that `tensors` and `meta` are of."""
        import torch

        from ml.recommend.network import Network, Shape

        table = None if text is None else torch.from_numpy(np.ascontiguousarray(text))
        network = Network(Shape(**meta["shape"]), table)
        prefix = "sequence."
        network.load_state_dict(
            {
                name.removeprefix(prefix): torch.from_numpy(value.copy())
                for name, value in tensors.items()
                if name.startswith(prefix)
            }
        )
        return cls(network, meta["metrics"])


def _shape(settings: Settings, items: int, kinds: int, text: Vectors | None) -> "Shape":
    from ml.recommend.network import Shape

    return Shape(
        items=items,
        kinds=max(1, kinds),
        text=0 if text is None else text.shape[1],
        width=settings.width,
        layers=settings.layers,
        heads=settings.heads,
        longest=settings.longest,
        dropout=settings.dropout,
    )
