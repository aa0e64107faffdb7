"""The API of the catalog, of what customers did, and of what they are offered."""

from typing import Annotated

from pydantic import AfterValidator, Field

from saas import rows
from saas.recommend import expression

LIGHTEST, HEAVIEST = 0.01, 100.0
Filter = Annotated[
    str,
    Field(
        max_length=expression.LONGEST,
        pattern=rows.NO_NUL,
        description='A condition on an item\'s fields, such as price < 300 and "sale" in tags',
    ),
    AfterValidator(expression.checked),
]
