"""How the verbs are called on buttons and in the history, in both languages; `%(what)s` is what they are about."""

from collections.abc import Mapping

Words = Mapping[str, str]

# verb -> (the button, what the history says)
WORDS: Mapping[str, tuple[Words, Words]] = {
    "return": (
        {"en": "Return to: %(what)s", "zh": "退回至：%(what)s"},
        {"en": "returned the case to: %(what)s", "zh": "将案件退回至：%(what)s"},
    ),
    "recall": (
        {"en": "Take back: %(what)s", "zh": "收回：%(what)s"},
        {"en": "took back: %(what)s", "zh": "收回了：%(what)s"},
    ),
    "transfer": (
        {"en": "Transfer to a colleague", "zh": "转办"},
        {"en": "transferred the work to a colleague", "zh": "转办给同事"},
    ),
    "consult": (
        {"en": "Ask a colleague for advice", "zh": "委派征询"},
        {"en": "asked a colleague for advice", "zh": "委派同事提出意见"},
    ),
    "advise": (
        {"en": "Give the advice asked for", "zh": "答复征询"},
        {"en": "gave the advice asked for", "zh": "答复了征询"},
    ),
    "stop_consulting": (
        {"en": "Take back the question", "zh": "收回征询"},
        {"en": "took back the question", "zh": "收回了征询"},
    ),
    "add_signer": (
        {"en": "Ask one more department", "zh": "加签"},
        {"en": "asked one more department", "zh": "增加了会签部门"},
    ),
    "remove_signer": (
        {"en": "Take off an added department", "zh": "减签"},
        {"en": "took off an added department", "zh": "减去了所加会签部门"},
    ),
    "remind": (
        {"en": "Remind", "zh": "催办"},
        {"en": "reminded those who have the case", "zh": "进行了催办"},
    ),
    "suspend": (
        {"en": "Suspend", "zh": "中止办理"},
        {"en": "suspended the case", "zh": "中止了办理"},
    ),
    "resume": (
        {"en": "Resume", "zh": "恢复办理"},
        {"en": "resumed the case", "zh": "恢复了办理"},
    ),
    "copy": (
        {"en": "Copy to a colleague", "zh": "抄送"},
        {"en": "gave a colleague a copy", "zh": "抄送给同事"},
    ),
    "comment": (
        {"en": "Comment", "zh": "留言"},
        {"en": "commented", "zh": "留言"},
    ),
}  # fmt: skip
# An act that leads straight back to whoever returned the case.
BACK: Mapping[str, Words] = {
    "label": {"en": "%(what)s (straight back)", "zh": "%(what)s（直接送回）"},
    "done": {"en": "%(what)s, and handed the case straight back", "zh": "%(what)s，并直接送回退回人"},
}


def spoken(verb: str, about: Words | None) -> tuple[dict[str, str], dict[str, str]]:
    """(label, done) of a verb, about something or nothing."""
    label, done = WORDS[verb]
    return _filled(label, about), _filled(done, about)


def _filled(words: Words, about: Words | None) -> dict[str, str]:
    if about is None:
        return dict(words)
    return {name: text % {"what": about[name]} for name, text in words.items()}
