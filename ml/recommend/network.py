"""The sequence model's network: item vectors, and a transformer that reads a customer's past."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ml.recommend.sequences import GAPS


@dataclass(frozen=True, slots=True)
class Shape:
    """Numbers of items, kinds of events and text dimensions (0: no text), and the network's size."""

    items: int
    kinds: int
    text: int
    width: int = 64
    layers: int = 2
    heads: int = 2
    longest: int = 50
    dropout: float = 0.3


class Network(nn.Module):
    """SASRec (Kang and McAuley 2018, arXiv:1808.09781) over items that are text and behaviour.

    An item's vector is a linear map of its text's vector and a learned part of its own; the same
    vectors are read and predicted (tied weights). An event is its item, its kind, its place and the
    time until the next one, which for the last one is the time until now.
    """

    def __init__(self, shape: Shape, text: Tensor | None) -> None:
        super().__init__()
        self.shape = shape
        width = shape.width
        self.own = nn.Parameter(torch.randn(shape.items, width) * width**-0.5)
        self.register_buffer("text", text, persistent=False)
        self.reading = nn.Linear(max(1, shape.text), width, bias=False)
        self.places = nn.Embedding(shape.longest, width)
        self.kinds = nn.Embedding(shape.kinds, width)
        self.gaps = nn.Embedding(GAPS, width)
        for table in (self.places, self.kinds, self.gaps):
            nn.init.normal_(table.weight, std=0.02)
        layer = nn.TransformerEncoderLayer(
            width,
            shape.heads,
            2 * width,
            dropout=shape.dropout,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.layers = nn.TransformerEncoder(
            layer, shape.layers, norm=nn.LayerNorm(width), enable_nested_tensor=False
        )
        self.dropout = nn.Dropout(shape.dropout)

    def vectors(self, keep: Tensor | None = None) -> Tensor:
        """float[items, width]; `keep` is bool[items], which items have their own part now."""
        own = self.own if keep is None else self.own * keep[:, None]
        if self.text is None:
            return own
        read: Tensor = self.reading(self.text)
        return own + read

    def forward(self, events: Tensor, kinds: Tensor, gaps: Tensor) -> Tensor:
        """float[batch, length, width] after each event, from its items' vectors of that shape.

        `kinds` and `gaps` are int64[batch, length]. Padding stands at the end.
        """
        length = events.shape[1]
        places = self.places(torch.arange(length, device=events.device))
        read = self.dropout(events + places + self.kinds(kinds) + self.gaps(gaps))
        mask = nn.Transformer.generate_square_subsequent_mask(
            length, device=read.device, dtype=read.dtype
        )
        hidden: Tensor = self.layers(read, mask=mask, is_causal=True)
        return hidden
