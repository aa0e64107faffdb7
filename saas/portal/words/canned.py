"""The words of the page of canned replies, in both languages."""

from __future__ import annotations

TEXT: dict[str, dict[str, str]] = {
    "en": {
        "title": "Canned replies",
        "about": "Agents insert them while they reply. {{customer}}, {{agent}} and {{business}} are filled in.",
        "name": "Name",
        "language": "Language",
        "text": "Text",
        "save": "Save",
        "delete": "Delete",
        "none": "None yet.",
    },
    "zh": {
        "title": "快捷回复",
        "about": "客服回复时可插入。{{customer}}、{{agent}} 和 {{business}} 会自动填写。",
        "name": "名称",
        "language": "语言",
        "text": "内容",
        "save": "保存",
        "delete": "删除",
        "none": "暂无。",
    },
}
