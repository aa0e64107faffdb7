"""The widget where things are not as they should be: no server, a slow network, pictures that are not there;
and for who reads from right to left, or would rather not be disturbed."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from saas.chat.models import Conversation, Message
from tenants.models import ApiKey
from tests.live import widget
from tests.live.test_widget import Customer, faults, said, take

pytestmark = pytest.mark.live
# What a page of a customer's adds for its own language.
ARABIC = {
    "open": "افتح المحادثة",
    "title": "تحدث معنا",
    "greeting": "مرحبا! كيف يمكننا مساعدتك؟",
    "input": "رسالتك",
    "person": "تحدث إلى شخص",
    "bot": "المساعد",
    "send": "إرسال",
}
SLOW = {
    "offline": False,
    "latency": 400,
    "downloadThroughput": 50_000,
    "uploadThroughput": 50_000,
}
# What is there for a moment, kept: who looks now and then may miss it.
WATCH = """button => {
    const root = button.getRootNode();
    window.seen = new Set();
    new MutationObserver(() => {
        if (button.getAttribute("aria-busy") === "true") window.seen.add("busy");
        if (root.querySelector(".dots")) window.seen.add("dots");
    }).observe(root, { subtree: true, childList: true, attributes: true });
}"""
# How often it sounds. To the browser each call of the test's is a gesture: here only what a visitor does is.
SPY = """window.sounds = 0;
window.AudioContext = class extends AudioContext {
    createOscillator() { window.sounds += 1; return super.createOscillator(); }
}
let touched = false;
for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => (touched = true), true);
Object.defineProperty(navigator, "userActivation", { value: { get hasBeenActive() { return touched; } } });
"""


@pytest.fixture
def visit(browser, business, api, site) -> Any:
    """Opens the customer's page, in a browser of its own."""
    opened: list[Customer] = []
    key = widget.key_for(business, site.url)

    def visit(script: str = "", language: str = "en", **context: Any) -> Customer:
        site.pages["/"] = widget.html(api, f'data-key="{key}"', language=language)
        customer = Customer(browser, "about:blank", **context)
        opened.append(customer)
        customer.page.add_init_script(script)
        customer.page.goto(f"{site.url}/")
        return customer

    yield visit
    for customer in opened:
        customer.close()


def set_look(business: Any, **given: Any) -> None:
    with business.scope():
        id = ApiKey.objects.get(kind="pk").id
    assert business.call("PUT", f"widgets/{id}", given).status_code == 200


def test_what_was_not_sent_goes_out_once_after_a_reload(visit, business) -> None:
    from playwright.sync_api import expect

    customer = visit()
    page, chat = customer.page, customer.open()
    customer.say("Hello")
    expect(chat.locator(".pending")).to_have_count(0)
    away: list[bool] = []

    def hear(route: Any) -> None:
        """The message arrives, its answer does not; and then nobody is there any more."""
        if not away and route.request.method == "POST":
            away.append(True)
            route.fetch()
        route.abort()

    customer.context.route("**/widget/messages", hear)
    customer.say("Thanks")
    customer.say("Goodbye")
    expect(chat.get_by_role("alert")).to_contain_text("No connection")
    customer.context.route("**/widget/session", lambda route: route.abort())
    page.reload()
    expect(page.locator(".log")).to_be_attached()  # it goes on by itself
    customer.open()
    expect(chat.locator(".pending small")).to_have_text(["Sending…", "Sending…"])
    assert said(business, "customer") == ["Hello", "Thanks"]

    customer.context.unroute_all()
    expect(chat.locator(".m.customer .b")).to_have_text(["Hello", "Thanks", "Goodbye"])
    expect(chat.locator(".pending")).to_have_count(0)
    expect(chat.locator(".m.bot")).to_have_count(3)
    assert said(business, "customer") == ["Hello", "Thanks", "Goodbye"]
    assert customer.complaints == []


def test_on_a_slow_network_it_shows_that_it_is_at_it_and_answers_once(visit, business) -> None:
    from playwright.sync_api import expect

    customer = visit()
    page = customer.page
    network = customer.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", SLOW)
    launch = page.get_by_role("button", name="Open the chat")
    launch.evaluate(WATCH)
    launch.click()
    chat = page.get_by_role("dialog")
    expect(chat).to_contain_text("How can we help you?")
    expect(launch).to_have_attribute("aria-busy", "false")
    customer.say("Hello")
    expect(chat.locator(".m.customer .b")).to_have_text(["Hello"])
    expect(chat.locator(".m.bot:not(.streaming) .b")).to_have_text(["Hello! How can I help you?"])
    expect(chat.locator(".m.customer .b")).to_have_text(["Hello"])
    assert page.evaluate("[...window.seen]") == ["busy", "dots"]
    assert said(business, "customer") == ["Hello"]
    assert customer.complaints == []


def test_right_to_left_it_is_mirrored_and_what_is_said_reads_its_own_way(
    visit, business, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    customer = visit(language='ar" dir="rtl')
    page = customer.page
    page.evaluate("(words) => Frontdesk.words('ar', words)", ARABIC)
    launch = page.get_by_role("button", name=ARABIC["open"])
    assert launch.bounding_box()["x"] < 100
    chat = customer.open(ARABIC["open"])
    box = chat.bounding_box()
    assert box["x"] < 100
    for text in ("مرحبا، طلبي رقم ABC-123!", "Hello"):
        customer.say(text, ARABIC["input"])
    expect(chat.locator(".pending")).to_have_count(0)
    expect(chat.locator(".m.bot:not(.streaming)")).to_have_count(2)
    directions = "(nodes) => nodes.map((node) => getComputedStyle(node).direction)"
    assert chat.locator(".m.customer .b").evaluate_all(directions) == ["rtl", "ltr"]
    places = [
        chat.locator(f".m.{author}").first.bounding_box()["x"] for author in ("customer", "bot")
    ]
    assert places[0] < places[1]  # the customer's own are at the end of a line
    assert faults(page) == []
    page.screenshot(path=tmp_path / "widget-ar.png")
    assert customer.complaints == []


def test_an_item_can_be_used_without_its_picture(visit, business, site) -> None:
    from playwright.sync_api import expect

    customer = visit()
    page, chat = customer.page, customer.open()
    customer.say("Hello")
    expect(chat.locator(".pending")).to_have_count(0)
    site.pages["/tea.png"] = ("image/png", _png())
    pictures = {
        "Jasmine": f"{site.url}/tea.png",
        "Oolong": f"{site.url}/none.png",
        "Sencha": "http://pictures.shop.example/forbidden.png",
        "Assam": "javascript:alert(1)",
        "Mint": "",
    }
    about = {"price": "12.50", "currency": "USD", "why": "mild"}
    items = [
        {"id": name, "title": name, "image": image, "url": f"https://shop.example/{name}", **about}
        for name, image in pictures.items()
    ]
    items[-1]["url"] = "javascript:alert(2)"
    headers: list[dict[str, str]] = []
    page.on(
        "request",
        lambda asked: asked.url.endswith("/tea.png") and headers.append(asked.all_headers()),
    )
    with business.scope():
        talk = Conversation.objects.get()
        Message.objects.create(
            conversation=talk, author="bot", kind="items", text="These:\nJasmine", items=items
        )
    page.reload()
    customer.open()
    expect(chat.locator(".card")).to_have_count(5)
    expect(chat.locator(".card img")).to_have_count(1)
    picture = chat.locator(".card img")
    assert picture.evaluate(
        "(img) => img.decode().then(() => [img.naturalWidth, img.loading, img.alt])"
    ) == [8, "lazy", ""]
    assert ["referer" in sent for sent in headers] == [False]
    expect(chat.locator(".card").nth(1)).to_have_text("Oolong$12.50 · mild")
    links = chat.locator(".card").evaluate_all(
        "(cards) => cards.map((card) => [card.localName, card.rel])"
    )
    assert links == [["a", "noopener"]] * 4 + [["div", None]]
    forbidden = [text for text in customer.complaints if "Content Security Policy" in text]
    assert customer.complaints == forbidden


def test_it_sounds_where_the_visitor_wants_that_and_has_touched_the_page(visit, business) -> None:
    from playwright.sync_api import expect

    customer = visit(SPY)
    page, chat = customer.page, customer.open()

    def switch(shown: str) -> None:
        page.get_by_role("button", name="More").click()
        page.get_by_role("button", name=f"Sound: {shown}").click()

    def write(text: str) -> int:
        """An agent does, while the chat is closed; how often it has sounded by then."""
        answer = business.call.post(f"inbox/{hand_off}/messages", {"agent": "Mei", "text": text})
        assert answer.status_code == 201
        expect(page.get_by_role("button", name="1 unread")).to_be_visible()
        return int(page.evaluate("sounds"))

    page.get_by_role("button", name="Talk to a person").click()
    expect(chat).to_contain_text("number 1")
    hand_off = take(business)
    expect(chat).to_contain_text("Mei is answering")
    page.keyboard.press("Escape")
    assert write("Silent, as it comes") == 0
    customer.open()
    switch("off")
    assert page.evaluate("sounds") == 1  # so that one knows it
    page.reload()
    expect(page.locator(".log")).to_be_attached()
    assert write("Nobody has touched this page") == 0
    customer.open()
    page.keyboard.press("Escape")
    assert write("Heard") == 1
    customer.open()
    switch("on")
    page.keyboard.press("Escape")
    assert write("Off again") == 1
    assert customer.complaints == []


def test_outside_its_hours_it_says_so_before_and_after_one_asks(visit, business) -> None:
    from playwright.sync_api import expect

    customer = visit()
    never = {"hours": {"mon": []}, "away": {"en": "We are back on Monday."}}
    set_look(business, hours=never)
    chat = customer.open()
    expect(chat.locator(".log .note")).to_have_text("We are back on Monday.")
    customer.page.get_by_role("button", name="Talk to a person").click()
    expect(chat.locator(".bar")).to_contain_text("We are back on Monday.")
    assert faults(customer.page) == []


def _png() -> bytes:
    """A picture of 8 by 8."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x40\x80\x40" * 8) * 8)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
