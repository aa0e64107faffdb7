"""Documents: what a file says answers, with its page and heading; what is gone from it does not."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from saas.chat import documents
from saas.chat.models import Document, Passage
from tests.chat import papers
from tests.chat.test_knowledge import ask

ASKED = "Can batteries be shipped?"


@pytest.fixture
def send(worked_off: Any) -> Any:
    """Sends a file and has it read; returns the document as it is afterwards."""

    def send(business: Any, name: str, content: bytes, **fields: str) -> Any:
        with worked_off():
            answer = business.call.client.post(
                "/v1/documents",
                {"file": SimpleUploadedFile(name, content), **fields},
                headers={"Authorization": f"Bearer {business.secret}"},
            )
        if answer.status_code != 202:
            return answer
        return business.call.get(f"documents/{answer.json()['id']}").json()

    return send


def test_a_manual_answers_with_its_page_and_heading(shop, send) -> None:
    document = send(shop, "manual.pdf", papers.manual())

    assert document["state"] == "ready"
    assert (document["pages"], document["pages_read"], document["progress"]) == (2, 2, 1.0)
    assert (document["passages"], document["searchable"]) == (2, 2)
    answer = ask(shop, ASKED)
    assert answer["text"] == papers.BATTERIES
    (source, *_) = answer["sources"]
    assert (source["document"], source["page"], source["question"]) == ("manual.pdf", 1, "Shipping")
    assert ask(shop, "When does the shop in Leeds open?")["sources"][0]["page"] == 2


LONG = """# Returns / 退货

Chairs can be returned within thirty days. They must be unused. Tables are collected by our driver.
Lamps are exchanged in the shop. Gift cards are never taken back. Beds are returned within a hundred
days and nights. Mattresses lose their right of return once the foil is open. Ask us before you send
anything.

# 发票

发票在付款后三天内开具。电子发票发到您的邮箱。纸质发票需要另付邮费五元。公司抬头可以在订单页面修改。
"""


@pytest.mark.parametrize(
    ("question", "sentence", "silent"),
    [
        ("Can I give a gift card back?", "Gift cards are never taken back.", "unused"),
        ("纸质发票要付邮费吗？", "纸质发票需要另付邮费五元。", "三天内"),
    ],
)
def test_an_answer_quotes_the_sentences_that_answer(shop, send, question, sentence, silent) -> None:
    send(shop, "terms.md", LONG.encode())

    answer = ask(shop, question)

    assert sentence in answer["text"]
    assert silent not in answer["text"]
    (citation,) = answer["citations"]
    assert citation["quote"] == answer["text"][citation["start"] : citation["end"]]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("guide.docx", papers.word()),
        ("talk.pptx", papers.powerpoint()),
        ("help.html", papers.HTML),
        ("help.md", papers.MARKDOWN),
        ("help.txt", papers.PLAIN),
    ],
)
def test_every_format_says_the_same(shop, send, name, content) -> None:
    assert send(shop, name, content)["state"] == "ready"
    assert papers.BATTERIES in ask(shop, ASKED)["text"]


def test_chinese_of_an_older_encoding_is_read(shop, send) -> None:
    assert send(shop, "配送.md", papers.CHINESE)["state"] == "ready"
    assert ask(shop, "电池可以寄吗？")["text"] == "电池只能陆运，需要九天。"


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.xlsx", papers.excel()), ("a.docx", papers.word()), ("a.pdf", papers.price_list())],
)
def test_a_table_keeps_its_header(shop, send, name, content) -> None:
    send(shop, name, content)
    text = ask(shop, "What does the Comet lamp cost?")["text"]
    assert "| Model | Price |" in text
    assert "| Comet lamp | 79 euros |" in text


def test_what_a_page_does_not_show_is_not_read(shop, send) -> None:
    send(shop, "help.html", papers.HTML)
    with shop.scope():
        said = " ".join(Passage.objects.values_list("answer", flat=True))
    assert not any(word in said for word in ("stolen", "free", "Contact"))


def test_a_new_file_of_the_name_replaces_the_old_one(shop, send) -> None:
    first = send(shop, "manual.pdf", papers.manual())
    with shop.scope():
        kept = Passage.objects.get(question="Opening hours")

    second = send(shop, "manual.pdf", papers.manual("Batteries are not shipped any more."))

    assert second["id"] == first["id"]
    assert ask(shop, ASKED)["text"] == "Batteries are not shipped any more."
    with shop.scope():
        assert not Passage.objects.filter(answer=papers.BATTERIES).exists()
        same = Passage.objects.get(question="Opening hours")
    assert (same.id, same.vector) == (kept.id, kept.vector)


def test_files_that_no_document_has_any_more_are_deleted(shop, send, settings) -> None:
    document = send(shop, "help.md", papers.MARKDOWN)
    send(shop, "copy.md", papers.MARKDOWN)
    send(shop, "help.md", papers.CHINESE)

    def kept() -> int:
        return len(list((settings.DOCUMENTS / str(shop.id)).iterdir()))

    assert kept() == 2
    send(shop, "copy.md", papers.CHINESE)
    assert kept() == 1
    assert document["state"] == "ready"


def test_the_same_file_again_is_not_read_again(shop, send) -> None:
    first = send(shop, "manual.pdf", papers.manual())
    with shop.scope():
        Document.objects.update(readings=41)
    content = papers.MARKDOWN
    send(shop, "help.md", content)
    again = send(shop, "help.md", content)
    with shop.scope():
        assert Document.objects.get(id=again["id"]).readings == 1
    assert first["state"] == again["state"] == "ready"


def test_a_deleted_document_answers_no_more(shop, send, worked_off) -> None:
    document = send(shop, "manual.pdf", papers.manual())
    assert ask(shop, ASKED)["kind"] == "passage"

    with worked_off():
        assert shop.call.delete(f"documents/{document['id']}").status_code == 204

    assert ask(shop, ASKED)["kind"] == "fallback"
    assert shop.call.get(f"documents/{document['id']}").status_code == 404


def test_another_tenants_documents_are_not_there(shop, bank, send) -> None:
    document = send(shop, "manual.pdf", papers.manual())
    assert bank.call.get(f"documents/{document['id']}").status_code == 404
    assert bank.call.delete(f"documents/{document['id']}").status_code == 404
    assert bank.call.get("documents").json()["results"] == []
    assert ask(bank, ASKED)["kind"] == "fallback"


def test_a_documents_passages_are_no_pairs(shop, send) -> None:
    send(shop, "manual.pdf", papers.manual())
    assert shop.call.get("knowledge").json()["results"] == []
    with shop.scope():
        part = Passage.objects.first().id
    assert shop.call.delete(f"knowledge/{part}").status_code == 404


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"\0" * 50_000_000)
    return file.getvalue()


def encrypted() -> bytes:
    from fpdf import FPDF

    made = FPDF()
    made.set_encryption(owner_password="one", user_password="two")
    made.add_page()
    made.set_font("Helvetica", size=10)
    made.cell(text=papers.BATTERIES)
    return bytes(made.output())


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("locked.pdf", encrypted(), "encrypted"),
        ("cut.pdf", papers.manual()[:400], "not a whole PDF"),
        ("scan.pdf", papers.pdf([]), "no text"),
        ("cut.docx", papers.word()[:2_000], "cut off"),
        ("bomb.docx", bomb(), "Unpacked"),
        ("old.xlsx", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "older than 2007"),
        ("other.pptx", papers.word(), "damaged"),
        ("noise.txt", bytes(range(128, 256)) * 9, "encoding"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(shop, send, name, content, why) -> None:
    send(shop, "help.md", papers.MARKDOWN)

    document = send(shop, name, content)

    assert document["state"] == "failed"
    assert why in document["error"]
    assert document["passages"] == 0
    assert ask(shop, ASKED)["text"] == papers.BATTERIES


def test_a_broken_new_file_leaves_the_old_one_answering(shop, send) -> None:
    send(shop, "manual.pdf", papers.manual())
    assert send(shop, "manual.pdf", papers.manual()[:400])["state"] == "failed"
    assert ask(shop, ASKED)["text"] == papers.BATTERIES


@pytest.mark.parametrize(
    ("name", "content", "fields", "why"),
    [
        ("setup.exe", b"MZ", {}, "must end in"),
        ("help.md", papers.MARKDOWN, {"language": "fr"}, "language"),
        ("help.md", papers.MARKDOWN, {"colour": "red"}, "colour"),
    ],
)
def test_what_is_no_document_is_refused(shop, send, name, content, fields, why) -> None:
    answer = send(shop, name, content, **fields)
    assert answer.status_code == 400
    assert why in answer.json()["detail"]


def test_without_a_file_the_call_says_so(shop) -> None:
    answer = shop.call.client.post(
        "/v1/documents", {"name": "a.md"}, headers={"Authorization": f"Bearer {shop.secret}"}
    )
    assert answer.status_code == 400
    assert "'file'" in answer.json()["detail"]


def test_a_text_without_an_end_is_cut_into_passages(shop, send) -> None:
    document = send(shop, "long.txt", b"parcel" * 5_000)
    assert document["state"] == "ready"
    assert document["passages"] > 10


def test_a_reading_that_was_overtaken_keeps_nothing(shop, send) -> None:
    document = send(shop, "manual.pdf", papers.manual())
    with shop.scope():
        Document.objects.update(state="queued")
        first = documents.Reading(documents.take(document["id"]))
        documents.Reading(documents.take(document["id"]))
        with pytest.raises(documents.Superseded):
            first.finish()


def test_a_document_whose_worker_went_away_is_read_again(shop, send, worked_off) -> None:
    from saas.chat import tasks

    document = send(shop, "manual.pdf", papers.manual())
    with shop.scope():
        Document.objects.update(state="reading", lease_until="2026-01-01T00:00:00Z")
    with worked_off():
        tasks.catch_up()
    assert shop.call.get(f"documents/{document['id']}").json()["state"] == "ready"


def test_a_document_is_for_whom_it_says(shop, send) -> None:
    document = send(shop, "help.md", papers.MARKDOWN, audience="dealers", valid_from="2026-01-01")

    assert (document["audience"], document["valid_from"]) == ("dealers", "2026-01-01")
    assert ask(shop, ASKED)["kind"] == "fallback"
    assert ask(shop, ASKED, audience="dealers")["sources"][0]["document"] == "help.md"

    send(shop, "help.md", papers.MARKDOWN)

    assert ask(shop, ASKED)["sources"][0]["document"] == "help.md"
    wrong = send(shop, "help.md", papers.MARKDOWN, valid_until="tomorrow")
    assert wrong.status_code == 400
    assert "valid_until" in wrong.content.decode()
