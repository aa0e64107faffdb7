"""The API of training, a module for each resource."""

from typing import Literal

Kind = Literal["intent", "recommend"]
