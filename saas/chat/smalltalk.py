"""What is said without a question: greetings, thanks, who one talks to, when people are there."""

from __future__ import annotations

import re
from datetime import time
from itertools import groupby

from saas.chat import replies
from saas.chat.hours import DAYS, Hours

# Fully matched by a message without its punctuation.
SAID = {
    "greeting": re.compile(
        r"(hi|hello|hey|hiya|good (morning|afternoon|evening)|greetings)( there| all| everyone)?|"
        r"(您|你)好[啊呀]?|哈[喽罗啰]|嗨|早上好|上午好|中午好|下午好|晚上好|在吗|有人(在)?吗|有没有人(在)?|hello啊",
        re.IGNORECASE,
    ),
    "thanks": re.compile(
        r"(ok(ay)?,? |great,? |perfect,? )?(many )?(thanks|thank you|thx|cheers)"
        r"( so much| very much| a lot| a million| for (your|the) help)?|"
        r"(好的?[，, ]*)?(非常|十分|太)?(谢谢|多谢|感谢|谢啦|谢了)(你|您|啦|了|你的帮助|您的帮助)?",
        re.IGNORECASE,
    ),
    "goodbye": re.compile(
        r"(good ?)?bye( bye)?( for now)?|see (you|ya)( later)?|have a (nice|good) (day|one)|"
        r"good ?night|再见|拜拜?|回头见|晚安|下次再聊",
        re.IGNORECASE,
    ),
    "who_are_you": re.compile(
        r"(so )?who (are|r) (you|u)|what are you|what'?s your name|"
        r"are (you|u) (a |an )?(real )?(ro)?(bot|human|person|machine|ai|robot|real)( or .{1,20})?|"
        r"am i (talking|speaking|chatting) (to|with) (a |an )?(real )?(bot|robot|human|person|machine)|"
        r"(你|您)是谁|(你|您)叫什么(名字)?|(你|您)是(不是)?(机器人|真人|人工|ai|人)(吗|还是.{1,8})?|"
        r"(你|您)是什么(东西)?",
        re.IGNORECASE,
    ),
    "languages": re.compile(
        r"(do|can) (you|u) (speak|understand|write|do) "
        r"(chinese|english|mandarin|cantonese|other languages|any other languages)|"
        r"(what|which) languages? (do|can) (you|u) (speak|understand)|"
        r"(你|您)?(会|能|可以|支持)(说|讲|用)?(中文|英文|英语|汉语|普通话|外语)吗|"
        r"(你|您)?(会|支持)(说|讲)?(哪些|什么|几种)语言",
        re.IGNORECASE,
    ),
}
HOURS = re.compile(
    r"\b(opening|business|service|support|office|working) (hours|times?)\b|"
    r"\b(when|what time|until when|how late|what days) (are|do) (you|u)( guys)? "
    r"(open|close|there|available|start|finish)|"
    r"\bwhen (is|are) (someone|somebody|your (agents|staff|team|colleagues)) (there|available)\b|"
    r"(营业|上班|服务|工作|在线|客服|人工).{0,4}时间|几点(开门|关门|上班|下班|营业|开始营业)|"
    r"(周末|周[六日]|节假日).{0,3}(上班|营业|开门|有人)|什么时候(上班|下班|营业|开门|有人)",
    re.IGNORECASE,
)
AROUND = re.compile(r"^[\s,.!?，。！？~～…]+|[\s,.!?，。！？~～…]+$|[呀啊哦哈]+[!！~～。]*$")
SHORT = 40  # characters: a question about hours; who writes more asks more
TEXTS = {
    "greeting": {"en": "Hello! How can I help you?", "zh": "您好！请问有什么可以帮您？"},
    "thanks": {"en": "You are welcome.", "zh": "不客气，很高兴能帮到您。"},
    "goodbye": {"en": "Goodbye, and take care!", "zh": "再见，祝您愉快！"},
    "who_are_you": {
        "en": "I am an automated assistant, a bot and no person. Write “human” and a colleague takes "
        "over.",
        "zh": "我是智能客服，是机器人，不是真人。需要人工服务时，回复“转人工”即可。",
    },
    "languages": {
        "en": "I understand English and Chinese; write in whichever you like.",
        "zh": "我会中文和英文，您用哪种都可以。",
    },
}
NAMES = {
    "en": dict(zip(DAYS, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True)),
    "zh": dict(zip(DAYS, ("周一", "周二", "周三", "周四", "周五", "周六", "周日"), strict=True)),
}
OPEN = {
    "en": "Our colleagues are here at these times ({zone}): {hours}. {now}",
    "zh": "人工客服的服务时间（{zone}）：{hours}。{now}",
}
NOW = {
    True: {"en": "They are here now.", "zh": "现在有人在线。"},
    False: {
        "en": "They are not here now; I answer at any time.",
        "zh": "现在不在服务时间，我随时可以回答您。",
    },
}


def kind_of(text: str) -> str | None:
    """Which of SAID a message is; None where it is no small talk."""
    plain = AROUND.sub("", text)
    return next((name for name, said in SAID.items() if said.fullmatch(plain)), None)


def reply_to(text: str, language: str) -> str | None:
    """The tenant's own reply to an intent of that name, or ours; None where it is no small talk."""
    name = kind_of(text)
    if name is None:
        return None
    return replies.find(name, language, strict=True) or TEXTS[name][language]


def hours(text: str, language: str, known: Hours) -> str | None:
    """When people are there, where that is asked, and known."""
    if not known.hours or len(text) > SHORT or not HOURS.search(text):
        return None
    return replies.find("business_hours", language, strict=True) or OPEN[language].format(
        zone=known.timezone,
        hours=_week(known, language),
        now=NOW[known.is_open()][language],
    )


def _week(known: Hours, language: str) -> str:
    """Days of the same hours together: Mon–Fri 09:00–18:00; Sat 10:00–14:00."""
    parts = []
    for shown, group in groupby(DAYS, key=lambda day: _day(known, day)):
        days = [NAMES[language][day] for day in group]
        if shown:
            parts.append(f"{'–'.join(dict.fromkeys((days[0], days[-1])))} {shown}")
    return ("；" if language == "zh" else "; ").join(parts)


def _day(known: Hours, day: str) -> str:
    openings = known.hours.get(day, [])  # type: ignore[call-overload]
    return ", ".join(f"{_clock(o.start)}–{_clock(o.end)}" for o in openings)


def _clock(at: time) -> str:
    return f"{at:%H:%M}"
