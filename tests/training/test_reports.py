"""The report of a version and the explanation of an answer, over the API."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from uuid import uuid4

import pytest

from ml import material
from ml.calibration import Aim, Calibration, missed
from ml.finetune import SEEN
from ml.report import (
    Cost,
    Disturbance,
    Flip,
    Learning,
    LearningPoint,
    Report,
    Swap,
    Switch,
)
from ml.types import Example
from saas import engine
from saas.training import explanations, report_page, report_words, reports
from saas.training.models import ModelVersion
from tests.billing.test_usage import totals
from tests.training import phrases
from tests.training.test_runs import train

NASTY = "<script>alert('intent')</script>"


class Outline(HTMLParser):
    """A page's tags, its text, and whether what is opened is closed."""

    VOID = {"meta"}

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.labels: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "svg":
            self.labels.append(dict(attrs)["aria-label"])

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


@pytest.fixture
def version(shop, worked_off) -> str:
    """A live version of the shop's, of which one intent has a nasty name."""
    rows = [
        row | {"intent": NASTY if row["intent"] == "refund" else row["intent"]}
        for row in phrases.rows()
    ]
    shop.call.post("examples", rows)
    return train(shop, worked_off)["id"]


def page(business, version: str, query: str = ""):
    return business.call.get(f"versions/{version}/report{query}", Accept="text/html")


def test_a_version_has_its_report(version, shop) -> None:
    answer = shop.call.get(f"versions/{version}/report")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    body = answer.json()
    row = shop.call.get(f"versions/{version}").json()
    assert {name: row[name] for name in ("id", "number", "encoder", "created_at")} == {
        name: body[name] for name in ("id", "number", "encoder", "created_at")
    }
    report = body["report"]
    assert report["examples"] == 24
    assert report["held_out"]["scores"]["accuracy"] == row["metrics"]["accuracy"]
    assert {intent["intent"] for intent in report["held_out"]["intents"]} >= {NASTY, "password"}
    assert sum(part["count"] for part in report["held_out"]["bins"]) == 24
    assert report["learning"]["points"][-1]["at"] < 24


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_is_a_page_too(language: str, version, shop) -> None:
    answer = page(shop, version, f"?language={language}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/html; charset=utf-8")
    outline = Outline(answer.content.decode())
    assert outline.open == []
    words = report_words.TEXT[language]
    for name in ("scores", "accuracy", "calibration", "learning", "intents", "confusions", "cost"):
        assert words[name] in outline.text
    assert len(outline.labels) == 4
    assert outline.tags.count("table") >= len(outline.labels)
    assert "{" not in outline.text
    lang = {"en": "en", "zh": "zh-Hans"}[language]
    assert f'<html lang="{lang}">' in answer.content.decode()


def test_both_languages_have_the_same_words() -> None:
    def shape(value: object) -> object:
        return {k: shape(v) for k, v in value.items()} if isinstance(value, dict) else None

    english, chinese = (shape(report_words.TEXT[language]) for language in ("en", "zh"))
    assert english == chinese


def test_the_page_runs_and_fetches_nothing(version, shop) -> None:
    answer = page(shop, version)
    content = answer.content.decode()
    assert "script" not in Outline(content).tags
    assert NASTY not in content
    assert "&lt;script&gt;alert(&#x27;intent&#x27;)&lt;/script&gt;" in content
    assert re.findall(r'(?:src|href)="(?!\?language=)', content) == []
    assert not re.search(r"\sstyle=|\son\w+=", content)
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_the_style_is_the_one_that_the_policy_names(version, shop) -> None:
    import base64
    import hashlib

    answer = page(shop, version)
    style = re.search(r"<style>(.*?)</style>", answer.content.decode(), re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_all_that_a_tuned_model_knows_is_on_the_page(language: str, version, shop) -> None:
    with shop.scope():
        row = ModelVersion.objects.get(pk=version)
        found = reports.read(row)
    told = replace(
        found,
        step="tuned",
        before=replace(found.held_out.scores, accuracy=0.4321),
        learning=Learning("epochs", (LearningPoint(1, 0.5), LearningPoint(2, 0.75))),
        switches=(Switch("pretrain", False, 0.911, 0.901),),
        robustness=(Disturbance("typos", 100, 0.9, 0.877),),
        fairness=(Swap("name", 100, 0.031, 0.02, 0.01, (Flip("Li asks", NASTY, "Jo asks", "b"),)),),
        cost=Cost(61.5, 120.0, 3 * 2**30, 200.0, "cuda"),
    )
    assert Report.from_json(json.loads(json.dumps(told.to_json()))) == told
    outline = Outline(report_page.render(row, told, language))
    words = report_words.TEXT[language]
    for name in ("switches", "robustness", "fairness", "flips"):
        assert words[name] in outline.text
    for figure in ("43.2%", "75.0%", "−1.0", "−2.3", "3.1%", "Jo asks", "3,072 MiB", "cuda"):
        assert figure in outline.text
    assert words["names"]["pretrain"] in outline.text
    assert "script" not in outline.tags


def test_a_link_can_ask_for_the_page(version, shop) -> None:
    answer = shop.call.get(f"versions/{version}/report?format=html")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_a_language_that_is_not_spoken(version, shop) -> None:
    answer = page(shop, version, "?language=fr")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "language")


def test_a_version_of_single_examples_says_why_it_has_no_figures(shop, worked_off) -> None:
    shop.call.post("examples", phrases.rows()[::6])
    run = train(shop, worked_off)
    report = shop.call.get(f"versions/{run['id']}/report").json()["report"]
    assert report["held_out"] is None
    assert report["notes"][0] in page(shop, run["id"]).content.decode()
    assert "每个意图只有一条样本" in page(shop, run["id"], "?language=zh").content.decode()


def test_what_is_odd_about_the_examples_is_said_in_both_languages() -> None:
    odd = [("hi", "a"), ("hi", "b"), ("x" * 200_000, "c"), ("再见", "d")]
    examples = [Example(*pair) for pair in odd]
    notes = material.prepare(examples, share=0.2, seed=0, rounds={"c": 1}).notes
    assert len(notes) == 5
    settled = Calibration(0.0, 0.0, metrics={"precision": 0.5})
    for said in (*notes, SEEN, *missed(settled, Aim(precision=0.9))):
        assert report_words.note(said, "en") == said
        assert re.search(r"[\u4e00-\u9fff]", report_words.note(said, "zh"))
    assert report_words.note("something new", "zh") == "something new"


def test_reports_of_others_and_of_nothing(version, bank, stranger, shop) -> None:
    assert bank.call.get(f"versions/{version}/report").status_code == 404
    assert page(bank, version).status_code == 404
    assert shop.call.get(f"versions/{uuid4()}/report").status_code == 404
    assert stranger.get(f"versions/{version}/report").status_code == 401


def test_a_model_without_a_report(version, shop) -> None:
    with shop.scope():
        ModelVersion.objects.filter(pk=version).update(kind="recommend")
    answer = shop.call.get(f"versions/{version}/report")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_report")


def test_a_report_whose_files_are_gone(version, shop, settings, tmp_path) -> None:
    settings.ARTIFACTS = tmp_path / "elsewhere"
    answer = page(shop, version)
    assert (answer.status_code, answer.json()["code"]) == (409, "version_gone")
    assert str(tmp_path) not in answer.content.decode()


@pytest.mark.parametrize(
    ("text", "intent", "word"),
    [
        ("I do not remember my password", "password", "password"),
        ("请问怎么修改我的登录密码", "password", "密码"),
    ],
)
def test_an_answer_is_explained(text: str, intent: str, word: str, version, shop) -> None:
    answer = shop.call.post("explanations", {"text": text})
    assert answer.status_code == 200, answer.content
    body = answer.json()
    chat = shop.call.post("chat/messages", {"text": text}).json()["answer"]
    assert (body["model"], body["intent"]) == (version, intent)
    assert (body["confidence"], body["in_scope"]) == (chat["confidence"], chat["in_scope"])
    assert body["method"] == "integrated gradients"
    assert max(body["tokens"], key=lambda token: token["weight"])["text"] == word
    moved = sum(token["weight"] for token in body["tokens"])
    assert moved == pytest.approx(body["score"] - body["baseline"] - body["delta"])
    assert abs(body["delta"]) < 0.05 * abs(body["score"])
    assert body["read_to"] == len(text)
    assert len(body["nearest"]) == 5
    assert body["nearest"][0]["intent"] == intent
    assert body["nearest"][0]["similarity"] >= body["nearest"][-1]["similarity"]


def test_an_explanation_is_not_billed(version, shop) -> None:
    before = totals(shop)
    shop.call.post("explanations", {"text": "Where is my parcel?"})
    assert totals(shop) == before


def test_the_nearest_examples_are_those_stored_now(version, shop) -> None:
    for row in shop.call.get("examples").json()["results"]:
        shop.call.delete(f"examples/{row['id']}")
    body = shop.call.post("explanations", {"text": "Where is my parcel?", "model": version}).json()
    assert (body["intent"], body["nearest"]) == ("order_status", [])


@pytest.mark.parametrize("text", ["", "   ", "x" * 2_001, 7, None])
def test_what_cannot_be_explained(text, version, shop) -> None:
    answer = shop.call.post("explanations", {"text": text})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "text")


def test_without_a_model_there_is_nothing_to_explain(shop) -> None:
    answer = shop.call.post("explanations", {"text": "Where is my parcel?"})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_model")


def test_a_model_of_another_encoder_is_not_explained(version, shop, monkeypatch) -> None:
    monkeypatch.setattr(engine, "fingerprint", lambda: "another")
    answer = shop.call.post("explanations", {"text": "refund", "model": version})
    assert (answer.status_code, answer.json()["code"]) == (409, "other_encoder")


def test_another_tenants_model_explains_nothing(version, bank) -> None:
    answer = bank.call.post("explanations", {"text": "refund", "model": version})
    assert answer.status_code == 404


def test_one_explanation_at_a_time_and_chat_goes_on(version, shop, monkeypatch) -> None:
    words, meanwhile = explanations._words, []

    def slow(*args):
        meanwhile.append(shop.call.post("explanations", {"text": "refund"}))
        meanwhile.append(shop.call.post("chat/messages", {"text": "Where is my parcel?"}))
        return words(*args)

    monkeypatch.setattr(explanations, "_words", slow)
    first = shop.call.post("explanations", {"text": "refund"})
    second, chat = meanwhile
    assert (second.status_code, second.json()["code"]) == (503, "busy")
    assert second["Retry-After"] == "2"
    assert (chat.status_code, first.status_code) == (200, 200)
    assert shop.call.post("explanations", {"text": "refund"}).status_code == 200
