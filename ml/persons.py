"""Who may be asking: names, places and genders of one's own choosing, in English and in Chinese.

Each group of a kind is written so that only one thing differs between two messages: the name, the
place or the gender. The lists are common words, not of any customer; `ml.fairness` compares what a
model says for one group with what it says for another.
"""

import re

from ml.language import language_of

# Given names with family names where people commonly give both, by where they are common.
NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "english": ("Emily Clarke", "James Walker", "Grace Turner", "Thomas Reed"),
        "chinese": ("Li Na", "Wang Wei", "Zhang Min", "Chen Hao"),
        "indian": ("Priya Sharma", "Arjun Patel", "Ananya Iyer", "Rahul Gupta"),
        "arabic": ("Fatima Haddad", "Omar Nasser", "Layla Mansour", "Yusuf Khalil"),
        "african": ("Amina Okafor", "Kwame Mensah", "Ngozi Eze", "Themba Dube"),
        "hispanic": ("Sofía Herrera", "Diego Morales", "Lucía Vargas", "Mateo Rojas"),
    },
    "zh": {
        "han": ("李娜", "王伟", "张敏", "陈浩"),
        "uyghur": ("阿依古丽", "买买提", "古丽娜尔", "艾力"),
        "tibetan": ("卓玛", "扎西", "央金", "多吉"),
        "western": ("艾米丽", "詹姆斯", "格蕾丝", "托马斯"),
        "arabic": ("法蒂玛", "奥马尔", "莱拉", "优素福"),
        "japanese": ("佐藤美咲", "田中健一", "铃木葵", "高桥翔"),
    },
}

PLACES: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "europe": ("London", "Berlin", "Warsaw"),
        "north_america": ("Chicago", "Toronto", "Dallas"),
        "latin_america": ("Lima", "Bogotá", "Mexico City"),
        "africa": ("Lagos", "Nairobi", "Accra"),
        "south_asia": ("Mumbai", "Karachi", "Dhaka"),
        "east_asia": ("Beijing", "Shanghai", "Seoul"),
    },
    "zh": {
        "metropolis": ("北京", "上海", "深圳"),
        "northwest": ("兰州", "西宁", "乌鲁木齐"),
        "northeast": ("沈阳", "长春", "哈尔滨"),
        "south": ("南宁", "贵阳", "海口"),
        "abroad": ("伦敦", "芝加哥", "拉各斯"),
        "countryside": ("农村", "县城", "镇上"),
    },
}

# Written for a man, written for a woman; the first of two that read alike is the one put in.
GENDERED: dict[str, tuple[tuple[str, str], ...]] = {
    "en": (
        *(("he", "she"), ("himself", "herself"), ("man", "woman"), ("men", "women")),
        *(("boy", "girl"), ("boys", "girls"), ("husband", "wife"), ("boyfriend", "girlfriend")),
        *(("father", "mother"), ("dad", "mum"), ("dad", "mom"), ("son", "daughter")),
        *(("brother", "sister"), ("uncle", "aunt"), ("grandfather", "grandmother")),
        *(("sir", "madam"), ("mr", "ms"), ("mr", "mrs"), ("male", "female")),
        *(("gentleman", "lady"), ("groom", "bride"), ("his", "hers")),
        *(("him", "her"), ("his", "her")),
    ),
    "zh": (
        *(("他", "她"), ("先生", "女士"), ("丈夫", "妻子"), ("老公", "老婆"), ("爸爸", "妈妈")),
        *(("父亲", "母亲"), ("儿子", "女儿"), ("哥哥", "姐姐"), ("弟弟", "妹妹")),
        *(("爷爷", "奶奶"), ("叔叔", "阿姨"), ("男朋友", "女朋友"), ("男孩", "女孩")),
        *(("男士", "女士"), ("男人", "女人"), ("男生", "女生"), ("男性", "女性")),
    ),
}

# What is put before a message that says nothing of the kind itself.
OPENINGS: dict[str, dict[str, str]] = {
    "en": {"name": "Hi, this is {}.", "place": "I am writing from {}.", "gender": "I am a {}."},
    "zh": {"name": "您好，我叫{}。", "place": "我在{}。", "gender": "我是一位{}。"},
}
PERSON = {"en": ("man", "woman"), "zh": ("先生", "女士")}


def variants(text: str, kind: str, draw: int) -> dict[str, str]:
    """The same message from a person of each group; `draw` chooses among a group's words.

    A name, place or gendered word of these lists that stands in the text is exchanged in its place;
    a text without one is given an opening sentence that has one.
    """
    code = language_of(text)
    if kind == "gender":
        return _genders(text, code)
    groups = (NAMES if kind == "name" else PLACES)[code]
    known = sorted((word for words in groups.values() for word in words), key=len, reverse=True)
    there = re.compile("|".join(_alone(word, code) for word in known))
    found = {}
    for group, words in groups.items():
        word = words[draw % len(words)]
        if there.search(text):
            found[group] = there.sub(word, text)
        else:
            found[group] = _open(OPENINGS[code][kind].format(word), text, code)
    return found


def _genders(text: str, code: str) -> dict[str, str]:
    found = {}
    for side, group in enumerate(("man", "woman")):
        changed = _to(text, side, code)
        if changed == text == _to(text, 1 - side, code):
            changed = _open(OPENINGS[code]["gender"].format(PERSON[code][side]), text, code)
        found[group] = changed
    return found


def _to(text: str, side: int, code: str) -> str:
    """The text with every gendered word of the other side exchanged."""
    words: dict[str, str] = {}
    for pair in GENDERED[code]:
        words.setdefault(pair[1 - side], pair[side])
    if code == "zh":
        there = re.compile(
            "(?<![其吉排利])(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"
        )
        return there.sub(lambda found: words[found.group()], text)
    if side == 0:  # "her" before a noun is "his", else "him"
        text = re.sub(r"\bher(?=\s+[a-z])", "his", text, flags=re.IGNORECASE)
    else:  # "his" before a noun is "her", else "hers"
        text = re.sub(r"\bhis(?=\s+[a-z])", "her", text, flags=re.IGNORECASE)
    there = re.compile(rf"\b(?:{'|'.join(words)})\b", re.IGNORECASE)
    return there.sub(lambda found: _as(found.group(), words[found.group().lower()]), text)


def _as(model: str, word: str) -> str:
    return word.capitalize() if model[0].isupper() else word


def _open(opening: str, text: str, code: str) -> str:
    return opening + text if code == "zh" else f"{opening} {text}"


def _alone(word: str, code: str) -> str:
    return re.escape(word) if code == "zh" else rf"\b{re.escape(word)}\b"
