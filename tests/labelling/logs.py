"""Raw logs of a shop's help desk: what customers ask, and what agents answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

ASKED = {
    "Your parcel is on its way; the tracking link is in the mail we sent you.": [
        "Where is my parcel?",
        "My parcel has not arrived yet, where is it?",
        "Can you tell me where my parcel is now?",
        "I am still waiting for my parcel to arrive",
        "Is my parcel still on its way?",
        "When does my parcel arrive?",
    ],
    "You can reset the password with the link below the sign-in form.": [
        "I forgot my password",
        "How do I reset my password?",
        "My password does not work any more",
        "I need a new password for my account",
        "Please reset the password of my account",
        "The password I typed is refused",
    ],
    "发票会在发货后发到您的邮箱。": [
        "怎么开发票",
        "我要开一张发票",
        "发票什么时候能开",
        "请帮我开公司发票",
        "能不能开电子发票",
        "我的发票还没有开",
    ],
}
START = datetime(2026, 3, 1, tzinfo=UTC)


def turns() -> list[dict[str, str]]:
    found = []
    for answer, questions in ASKED.items():
        for question in questions:
            number = len(found)
            for author, text in (("customer", question), ("agent", answer)):
                at = START + timedelta(minutes=number, seconds=len(found) - number)
                found.append(
                    {"conversation": f"c{number}", "author": author, "text": text}
                    | {"at": at.isoformat()}
                )
    return found
