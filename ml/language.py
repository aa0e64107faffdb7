"""Which of the product's two languages a text is in."""

import re
from typing import Literal

Language = Literal["zh", "en"]
HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


def language_of(text: str) -> Language:
    """Chinese where there is one Chinese character: customers mix English words into it."""
    return "zh" if HAN.search(text) else "en"
