"""What PyTorch keeps of the shapes of the batches that it has met."""

import os

KEPT = "16"


def keep_few() -> None:
    """In a process that trains: call it before PyTorch computes anything.

    oneDNN keeps the code that it made for up to 1,024 shapes (its primitive cache), and in a training
    nearly every batch has one of its own: a gigabyte that is never used again. Making it anew costs
    nothing that could be measured; only single messages are encoded 7% sooner with all of it.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", KEPT)
