"""What ends on paper can be printed: told while it is typed, not when the notice is made."""

import unicodedata

import pytest

from workflow.characters import settled, unprintable
from workflow.commands import RecordSignOff
from workflow.vocabulary import Refusal


@pytest.mark.parametrize("typed, kept", [
    ("1.\t平面图\r\n2.\t合同", "1. 平面图\n2. 合同"), ("缺少\u200b比例尺\ufeff", "缺少比例尺"),
    ("见\u2028附件", "见\n附件"), ("e\u0301", "é"), ("㎡ ≤ ① ✓ → ℃ 𠮷", "㎡ ≤ ① ✓ → ℃ 𠮷")])  # fmt: skip
def test_what_nobody_sees_is_not_kept(typed: str, kept: str) -> None:
    assert RecordSignOff(verdict="object", opinion=typed).opinion == kept


def test_what_nobody_sees_says_nothing() -> None:
    with pytest.raises(Refusal):
        RecordSignOff(verdict="object", opinion="\u3164\u200b")


@pytest.mark.parametrize("sign", ["😀", "✔", "\uf06d", "\U000f1234"])
def test_a_sign_that_no_notice_can_show_is_refused_by_its_field(sign: str) -> None:
    with pytest.raises(Refusal) as refused:
        RecordSignOff(verdict="object", opinion=f"已核{sign}")
    assert refused.value.field == "opinion" and sign in str(refused.value.reason)


def test_settled_text_stays_as_it_is() -> None:
    odd = "".join(map(chr, (*range(0x20, 0x3000), *range(0xF900, 0x10000))))
    once = settled("".join(c for c in odd if unicodedata.category(c) != "Cn"))
    assert settled(once) == once and not unprintable("汉字 ABC 123，。")
