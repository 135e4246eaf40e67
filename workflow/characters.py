"""Which characters may stand in a text that ends on paper: a notice, a decision, the annex of a certificate.

A sign that no typeface has, or that each computer draws as another picture, stops the paper for good, long after
whoever typed it has gone. So it is told where it is typed. The typefaces themselves are known to `pdf` alone, which
still refuses what slips through.
"""

import re
import unicodedata

# What a keyboard, a spreadsheet or a chat window leaves between letters without anybody seeing it: marks of width
# zero, soft hyphens, variation selectors, fillers. Removing them changes no word.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u115f\u1160\u180b-\u180e\u200b-\u200d\u2060-\u2064\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U000e0000-\U000e01ef]"
)
_DINGBATS_PRINTED = "✂✈✉✊✋✌✓✕✖✗✚✡✦✧✨✪✽✿❀❂❄❌❎❖❤❶❷❸❹❺❻❼❽❾❿➀➁➂➃➄➅➆➇➈➉➊➋➌➍➎➏➐➑➒➓➝➡"
# Private use (fonts for symbols, old Chinese fonts), pictures, and the dingbats that no text typeface draws.
UNPRINTABLE = re.compile(
    f"[\ue000-\uf8ff\U000f0000-\U0010ffff\U0001f000-\U0001faff]|(?![{_DINGBATS_PRINTED}])[\u2700-\u27bf]"
)


def settled(text: str) -> str:
    """The text in NFC, its line ends as line feeds, a tab as a blank, and nothing in it that nobody sees."""
    lines = re.sub("\r\n?|[\u2028\u2029]", "\n", text).replace("\t", " ")
    return unicodedata.normalize("NFC", _UNSEEN.sub("", lines)).strip()


def unprintable(text: str) -> str:
    """The first sign that no paper of ours can show, or nothing."""
    found = UNPRINTABLE.search(text)
    return found[0] if found else ""
