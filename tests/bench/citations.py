"""A hundred questions over the demo's documents: what is cited, and what is refused."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saas.demo.laptop import Site, step

QUESTIONS = Path(__file__).with_name("questions.csv")
REHEARSAL = Path(__file__).with_name("rehearsal.csv")  # others, by which thresholds may be chosen
REPLY = "reply:"  # before the intent whose approved reply is expected
REPLIES = ("reply", "action", "ask")  # and what an intent does instead of one
NO_ANSWER = ("fallback", "handoff", "refusal")
PROTOCOL = {
    "citations_supported": "share of the cited parts of all answers that stand word for word in the "
    "named file of the demo and, where a language model wrote them, are supported by it",
    "unanswerable_refused": "of 28 questions that the demo's businesses do not answer",
    "answerable_right": "of 72 questions: the answer's citations hold the fact that was asked for",
    "answerable_answered": "of the same: with anything but that the bot is not sure",
    "rehearsal_refused": "of 62 other questions that they do not answer, by which thresholds were chosen",
    "rehearsal_right": "of 70 that they answer, likewise",
    "rehearsal_replied": "of 28 that an intent's approved reply answers, likewise",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, what answers it (nothing does where it is empty), and the bot's answer.

    That is a fact of the knowledge, or the reply to an intent.
    """

    question: str
    expects: str
    answer: dict[str, Any]

    @property
    def refused(self) -> bool:
        return self.answer["kind"] in NO_ANSWER

    @property
    def intent(self) -> str:
        """Whose reply it expects, if any."""
        return self.expects.removeprefix(REPLY) if self.expects.startswith(REPLY) else ""

    @property
    def quotes(self) -> list[str]:
        return [citation["quote"] for citation in self.answer["citations"]]


def measure(site: Site) -> dict[str, float]:
    """On the two demo businesses with everything that they know, over HTTP."""
    from saas.demo import seed

    businesses = {business.slug: business for business in seed.everything(site)}
    with step("A hundred questions"):
        asked = _answered(QUESTIONS, businesses)
    with step("And those of the rehearsal"):
        rehearsed = _answered(REHEARSAL, businesses)
    texts = [text for business in businesses.values() for text in _texts(business.folder)]
    cited = [(one, quote) for one in asked for quote in one.quotes]
    known = [one for one in asked if one.expects]
    unknown = [one for one in asked if not one.expects]
    replied = [one for one in rehearsed if one.intent]
    for one in [*asked, *rehearsed]:
        if bool(one.expects) == one.refused or not _right(one):
            print(f"  {one.answer['kind']:<9} {one.question} -> {one.answer['text'][:90]!r}")
    return {
        "citations_supported": _share(any(_plain(q) in t for t in texts) for _, q in cited),
        "unanswerable_refused": _share(one.refused for one in unknown),
        "answerable_right": _share(_right(one) for one in known),
        "answerable_answered": _share(not one.refused for one in known),
        "rehearsal_refused": _share(one.refused for one in rehearsed if not one.expects),
        "rehearsal_right": _share(
            _right(one) for one in rehearsed if one.expects and not one.intent
        ),
        "rehearsal_replied": _share(_right(one) for one in replied),
    }


def _answered(questions: Path, businesses: dict[str, Any]) -> list[Asked]:
    with questions.open(encoding="utf-8", newline="") as file:
        return [
            Asked(row["question"], row["expects"], _ask(businesses[row["business"]], row))
            for row in csv.DictReader(file)
        ]


def _ask(business: Any, row: dict[str, str]) -> dict[str, Any]:
    answer: dict[str, Any] = business.client.post("chat/messages", {"text": row["question"]})
    return answer["answer"]


def _right(one: Asked) -> bool:
    if one.intent:
        return bool(one.answer["kind"] in REPLIES and one.answer["intent"] == one.intent)
    return any(one.expects in quote for quote in one.quotes) if one.expects else one.refused


def _texts(folder: str) -> list[str]:
    """What the demo's files of a business say, spaces aside."""
    from saas.demo.seed import DATA

    files = [*(DATA / folder / "documents").iterdir(), DATA / folder / "knowledge.csv"]
    found = [_plain(file.read_text(encoding="utf-8")) for file in files if file.suffix == ".md"]
    with (DATA / folder / "knowledge.csv").open(encoding="utf-8", newline="") as file:
        return found + [_plain(row["answer"]) for row in csv.DictReader(file)]


def _plain(text: str) -> str:
    return "".join(text.split())


def _share(found: Any) -> float:
    values = [bool(value) for value in found]
    return sum(values) / len(values)
