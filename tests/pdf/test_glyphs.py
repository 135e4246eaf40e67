"""What cannot be shown faithfully is refused before anything is issued, with the character and its place."""

from __future__ import annotations

import pytest

from pdf.certificate import Renderer
from pdf.faces import FAMILIES, Faces, FontsMissing, MissingGlyph, cut
from pdf.values import Annex, NoticeKind, Signatory
from tests.pdf.conftest import make_certificate, make_notice, make_row

UNPRINTABLE = {
    "private-use": "\ue000",
    "private-use of a far plane": "\U000f0000",
    "right-to-left override": "\u202e",
    "isolate": "\u2066",
    "zero-width joiner": "\u200d",
    "byte-order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "null": "\0",
    "tabulator": "\t",
    "line feed": "\n",
    "line separator": "\u2028",
    "variation selector": "\ufe00",
    "ideographic variation selector": "\U000e0100",
    "tag": "\U000e0041",
    "picture": "\U0001f600",
    "unassigned": "\u0378",
    "noncharacter": "\uffff",
    "unpaired surrogate": "\ud800",
}


@pytest.mark.parametrize("character", UNPRINTABLE.values(), ids=UNPRINTABLE)
def test_a_character_that_cannot_be_shown_is_refused_with_its_place(
    renderer: Renderer, character: str
) -> None:
    annex = Annex(rows=(make_row(), make_row(limit=f"浓度{character}以下")))
    with pytest.raises(MissingGlyph) as refused:
        renderer.certificate(make_certificate(), annex)
    (refusal,) = refused.value.refusals
    assert refusal.character == character
    assert refusal.code_point == f"U+{ord(character):04X}"
    assert refusal.where == "rows[1].limit"
    assert refusal.code_point in str(refused.value)


@pytest.mark.parametrize(
    "field", ["agency_name", "agency_address", "liability_bearer", "authority_name", "verify_code"]
)
def test_every_field_of_the_certificate_is_checked(renderer: Renderer, field: str) -> None:
    with pytest.raises(MissingGlyph) as refused:
        renderer.certificate(make_certificate(**{field: "甲\ue001乙"}))
    assert refused.value.refusals[0].where == field


@pytest.mark.parametrize(
    "field", ["site", "section", "category", "object", "parameter", "standard_text", "limit", "note"]
)
def test_every_field_of_a_row_is_checked(renderer: Renderer, field: str) -> None:
    with pytest.raises(MissingGlyph) as refused:
        renderer.certificate(make_certificate(), Annex(rows=(make_row(**{field: "\u202e"}),)))
    assert refused.value.refusals[0].where == f"rows[0].{field}"


def test_signatories_and_notices_are_checked_too(renderer: Renderer) -> None:
    with pytest.raises(MissingGlyph):
        renderer.certificate(make_certificate(), Annex((Signatory("戴\ue000", "", ""),)))
    with pytest.raises(MissingGlyph):
        renderer.notice(make_notice(NoticeKind.REFUSAL, reasons=("理由\u202e",)))
    with pytest.raises(MissingGlyph):
        renderer.notice(make_notice(NoticeKind.REFUSAL, addressee="第一行\n第二行"))


def test_all_refusals_are_told_at_once(renderer: Renderer) -> None:
    with pytest.raises(MissingGlyph) as refused:
        renderer.certificate(make_certificate(agency_name="\ue000", agency_address="\ue001\ue002"))
    assert [refusal.code_point for refusal in refused.value.refusals] == ["U+E000", "U+E001", "U+E002"]


def test_every_common_character_can_be_shown(renderer: Renderer) -> None:
    """The 20,902 of the first Unicode block and all of Extension A: more than GB 18030 levels 1 and 2 ask for."""
    blocks = [*range(0x4E00, 0x9FA6), *range(0x3400, 0x4DB6)]
    assert [chr(point) for point in blocks if renderer.faces.find(chr(point)) is None] == []
    assert renderer.faces.refusals([("all", "".join(map(chr, blocks)))]) == []


def test_rare_characters_come_from_a_rarer_typeface(renderer: Renderer) -> None:
    lacking_in_the_first = "\U00030000"
    glyph = renderer.faces.find(lacking_in_the_first)
    assert glyph is not None
    assert renderer.faces.opened[glyph.key].family == FAMILIES[2]
    from pdf.reading import annex_differences

    rows = (make_row(object=lacking_in_the_first + "水"),)
    done = renderer.certificate(make_certificate(agency_name=lacking_in_the_first), Annex(rows=rows))
    assert annex_differences(done.pdf, rows) == []


def test_a_missing_typeface_is_named_with_its_package(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pdf.faces.FAMILIES", ("No Such Typeface SC",))
    with pytest.raises(FontsMissing, match=r"No Such Typeface SC is not installed; install fonts-noto-cjk"):
        Faces(renderer.font_config)


def test_a_cut_typeface_keeps_only_what_was_asked(renderer: Renderer) -> None:
    glyph = renderer.faces.find("检")
    assert glyph is not None
    face = renderer.faces.opened[glyph.key].face
    assert len(cut(face, [glyph.glyph])) < 3000
