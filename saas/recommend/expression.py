"""The filter expression: a condition on an item's fields, such as `price < 300 and "sale" in tags`.

It is read by Python's own parser against a white list of what may stand in it. Nothing of it is ever
run, and nothing of it reaches SQL: what comes out are comparisons of known fields with constants.
"""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

LONGEST = 500  # characters
DEEPEST = 20  # conditions within one another
NUMBER, TEXT, TEXTS, TIME, ANY = "a number", "a text", "a list of texts", "a time", "anything"
OWN = "attributes"
FIELDS = {
    "id": TEXT,
    "title": TEXT,
    "brand": TEXT,
    "category": TEXT,
    "currency": TEXT,
    "tags": TEXTS,
    "price": NUMBER,
    "stock": NUMBER,
    "created_at": TIME,
    "available_from": TIME,
    "available_until": TIME,
}
SIGNS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
}
TURNED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
FOREIGN: dict[type[ast.AST], str] = {
    ast.Call: "a call",
    ast.BinOp: "arithmetic",
    ast.JoinedStr: "an f-string",
    ast.IfExp: "if … else",
    ast.Dict: "a dictionary",
    ast.Lambda: "a function",
    ast.Starred: "a star",
}
SHAPE = 'Compare a field with a value, such as price < 300 or "sale" in tags'
BLANKS = str.maketrans("\t\r\n\f", "    ")


class ExpressionError(ValueError):
    """What is wrong with an expression and where, for who wrote it."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an item; `key` names one of its own attributes."""

    name: str
    key: str = ""

    @property
    def kind(self) -> str:
        return FIELDS.get(self.name, ANY)

    def __str__(self) -> str:
        return f"{self.name}.{self.key}" if self.key else self.name


@dataclass(frozen=True, slots=True)
class Comparison:
    """`sign` is one of SIGNS, or "has"/"has not" where the value is looked for in the field."""

    field: Field
    sign: str
    value: Any


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition


@dataclass(frozen=True, slots=True)
class Group:
    """All of its parts hold, or with `any` one of them."""

    parts: tuple[Condition, ...]
    any: bool


Condition = Comparison | Not | Group


def checked(text: str) -> str:
    """The text itself, for a form's field. Raises ExpressionError."""
    if text:
        parse(text)
    return text


@functools.lru_cache(maxsize=4096)
def parse(text: str) -> Condition:
    """Raises ExpressionError, whatever is given, and nothing else."""
    if len(text) > LONGEST:
        raise ExpressionError(f"A filter has at most {LONGEST} characters, this one {len(text):,}")
    if "\\" in text:
        place = text.index("\\") + 1
        raise ExpressionError(f"At character {place}: leave the backslash out")
    text = text.translate(BLANKS).strip(" ")
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        at = f"character {error.offset}" if error.offset else "the end"
        raise ExpressionError(f"At {at}: {error.msg}. {SHAPE}") from None
    except (ValueError, RecursionError, MemoryError):
        raise ExpressionError(f"It cannot be read. {SHAPE}") from None
    return _Reader(text).condition(tree.body)


class _Reader:
    """From the parser's tree to conditions."""

    def __init__(self, text: str) -> None:
        self._bytes = text.encode(errors="replace")

    def condition(self, node: ast.expr, depth: int = 0) -> Condition:
        if depth > DEEPEST:
            self._refuse(node, f"more than {DEEPEST} conditions lie within one another")
        if isinstance(node, ast.BoolOp):
            parts = tuple(self.condition(part, depth + 1) for part in node.values)
            return Group(parts, any=isinstance(node.op, ast.Or))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return Not(self.condition(node.operand, depth + 1))
        if isinstance(node, ast.Compare):
            return self._chain(node)
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            field = self._field(node)
            self._refuse(node, f"{field} alone says nothing; compare it with a value")
        what = FOREIGN.get(type(node), "this")
        self._refuse(node, f"{what} cannot stand in a filter. {SHAPE}")

    def _chain(self, node: ast.Compare) -> Condition:
        """`10 < price <= 300` holds where each of its comparisons does."""
        sides = [node.left, *node.comparators]
        parts = tuple(
            self._comparison(left, SIGNS.get(type(operator), ""), right)
            for left, operator, right in zip(sides, node.ops, sides[1:], strict=False)
        )
        return parts[0] if len(parts) == 1 else Group(parts, any=False)

    def _comparison(self, left: ast.expr, sign: str, right: ast.expr) -> Comparison:
        if not sign:
            self._refuse(left, 'write == or != where you wrote "is"')
        if _is_field(left) and _is_field(right):
            if isinstance(right, ast.Name) and right.id not in FIELDS:
                self._refuse(right, f'put a text in quotes, such as "{right.id}"')
            self._refuse(right, "a field is compared with a value here, not with another field")
        if not _is_field(left) and not _is_field(right):
            self._foreign(left)
            self._refuse(left, f"two values are compared, and no field. {SHAPE}")
        if _is_field(left):
            return self._typed(self._field(left), sign, right)
        if sign in ("in", "not in"):
            return self._typed(self._field(right), sign.replace("in", "has"), left)
        return self._typed(self._field(right), TURNED[sign], left)

    def _typed(self, field: Field, sign: str, node: ast.expr) -> Comparison:
        """The comparison, where its value is of the field's kind."""
        if sign in ("in", "not in"):
            if field.kind == TEXTS:
                self._refuse(node, f'{field} is a list; write "sale" in {field}')
            if not isinstance(node, ast.List | ast.Tuple | ast.Set):
                self._refuse(node, f'a list must follow "in", such as {field} in ["a", "b"]')
            values = [self._value(field, part) for part in node.elts]
            return Comparison(field, sign, tuple(values))
        if "has" in sign and field.kind in (NUMBER, TIME):
            self._refuse(node, f"{field} is {field.kind}; compare it with <, <=, >, >=, == or !=")
        if "has" not in sign and field.kind == TEXTS:
            self._refuse(node, f'{field} is {field.kind}; write "sale" in {field}')
        return Comparison(field, sign.replace("not has", "has not"), self._value(field, node))

    def _value(self, field: Field, node: ast.expr) -> Any:
        value = self._constant(node)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if field.kind == NUMBER and not number:
            self._refuse(node, f"{field} is a number; compare it with one such as 300")
        if field.kind in (TEXT, TEXTS, TIME) and not isinstance(value, str):
            self._refuse(node, f'{field} is {field.kind}; put the value in quotes, such as "red"')
        return self._moment(field, node, value) if field.kind == TIME else value

    def _constant(self, node: ast.expr) -> Any:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            number = node.operand.value if isinstance(node.operand, ast.Constant) else None
            if isinstance(number, int | float) and not isinstance(number, bool):
                return -number
        if isinstance(node, ast.Name) and node.id in ("true", "false"):
            return node.id == "true"
        if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool):
            return node.value
        self._foreign(node)
        self._refuse(node, "a value must stand here: a text in quotes, a number, true or false")

    def _moment(self, field: Field, node: ast.expr, value: str) -> float:
        """A date or a time as seconds since the epoch; UTC where no zone is given."""
        try:
            moment = datetime.fromisoformat(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            self._refuse(node, f'{field} is a time; write one such as "2026-11-01"')

    def _field(self, node: ast.expr) -> Field:
        if isinstance(node, ast.Name):
            if node.id == OWN:
                self._refuse(node, f"name one of the {OWN}, such as {OWN}.colour")
            if node.id in FIELDS:
                return Field(node.id)
            known = ", ".join(sorted(FIELDS))
            self._refuse(node, f'there is no field "{node.id}". There are {known} and {OWN}.…')
        whole = node.value if isinstance(node, ast.Attribute | ast.Subscript) else node
        if not isinstance(whole, ast.Name) or whole.id != OWN:
            self._refuse(node, f"only {OWN} has parts, one deep, such as {OWN}.colour")
        if isinstance(node, ast.Attribute):
            return Field(OWN, node.attr)
        key = node.slice if isinstance(node, ast.Subscript) else None
        if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value:
            return Field(OWN, key.value)
        self._refuse(node, f'write {OWN}["shoe size"], with the name in quotes')

    def _foreign(self, node: ast.expr) -> None:
        if type(node) in FOREIGN:
            self._refuse(node, f"{FOREIGN[type(node)]} cannot stand in a filter. {SHAPE}")

    def _refuse(self, node: ast.expr, why: str) -> NoReturn:
        # The parser counts bytes of UTF-8.
        column = len(self._bytes[: node.col_offset].decode(errors="replace")) + 1
        raise ExpressionError(f"At character {column}: {why}")


def _is_field(node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        return node.id not in ("true", "false")
    return isinstance(node, ast.Attribute | ast.Subscript)
