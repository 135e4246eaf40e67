"""The border and the rosette of the certificate: our own drawing, worked out once as PDF operators.

A fret band (回纹) between rules, a measuring dial at the head and a pale rosette behind the text. It takes no part
in layout, so that it costs nothing when two hundred certificates are printed.
"""

from __future__ import annotations

from math import cos, pi, sin

MM = 72 / 25.4
_RED, _GOLD, _PAPER, _VEIL = "0.545 0.10 0.11", "0.70 0.565 0.31", "0.998 0.992 0.975", "0.962 0.945 0.895"
_UNIT, _LEFT, _TOP, _ACROSS, _DOWN = 6.0, 9.0, 10.5, 32, 46  # mm; counts of fret units

_FRET = "0.75 5.25 m 0.75 0.75 l 5.25 0.75 l 5.25 5.25 l 2.1 5.25 l 2.1 2.1 l 3.9 2.1 l 3.9 3.9 l S"
_CORNER = (
    "0.75 0.75 4.5 4.5 re 1.65 1.65 2.7 2.7 re S 3 0.75 m 5.25 3 l 3 5.25 l 0.75 3 l h S 2.4 2.4 1.2 1.2 re f"
)


def _at(x: float, y: float, shape: str, mirrored: bool = False) -> str:
    if mirrored:
        return f"q -1 0 0 1 {x + _UNIT:g} {y:g} cm {shape} Q"
    return f"q 1 0 0 1 {x:g} {y:g} cm {shape} Q"


def _turned(x: float, y: float, count: int, shape: str) -> list[str]:
    """The shape repeated around a point, one turn in `count` steps."""
    out = [f"q 1 0 0 1 {x:g} {y:g} cm"]
    step = 2 * pi / count
    turn = f"{cos(step):.5f} {sin(step):.5f} {-sin(step):.5f} {cos(step):.5f} 0 0 cm"
    for _ in range(count):
        out.append(f"{shape} {turn}")
    return [*out, "Q"]


def _circle(radius: float) -> str:
    c = radius * 0.5523
    return (
        f"{radius} 0 m {radius} {c} {c} {radius} 0 {radius} c {-c} {radius} {-radius} {c} {-radius} 0 c "
        f"{-radius} {-c} {-c} {-radius} 0 {-radius} c {c} {-radius} {radius} {-c} {radius} 0 c h"
    )


def border() -> bytes:
    """Operators for an A4 portrait page whose origin is the upper left corner, unit pt."""
    width, height = _UNIT * _ACROSS, _UNIT * _DOWN
    right, bottom = _LEFT + width, _TOP + height
    out = ["q", f"{MM:.5f} 0 0 {MM:.5f} 0 0 cm", "0 J 0 j"]
    inner = _UNIT + 1.2
    out.append(f"{_PAPER} rg {_LEFT} {_TOP} {width} {height} re f")
    out.append(f"{_VEIL} RG 0.18 w")
    out += _turned(105, 150, 48, "0 9 m 34 24 30 50 0 62 c -30 50 -34 24 0 9 c S")
    out += _turned(105, 150, 48, "0 62 m 5 66 5 68 0 71 c -5 68 -5 66 0 62 c S")
    out.append(f"q 1 0 0 1 105 150 cm {_circle(72)} {_circle(61)} {_circle(9)} S Q")
    out.append(f"{_GOLD} RG {_GOLD} rg 0.42 w")
    for step in range(1, _ACROSS - 1):
        mirrored = step >= _ACROSS / 2
        out.append(_at(_LEFT + step * _UNIT, _TOP, _FRET, mirrored))
        out.append(_at(_LEFT + step * _UNIT, bottom - _UNIT, _FRET, mirrored))
    for step in range(1, _DOWN - 1):
        out.append(_at(_LEFT, _TOP + step * _UNIT, _FRET))
        out.append(_at(right - _UNIT, _TOP + step * _UNIT, _FRET, True))
    for x in (_LEFT, right - _UNIT):
        out += [_at(x, y, _CORNER) for y in (_TOP, bottom - _UNIT)]
    out.append(f"{_RED} RG 0.7 w {_LEFT} {_TOP} {width} {height} re S")
    out.append(f"0.28 w {_LEFT + _UNIT} {_TOP + _UNIT} {width - 2 * _UNIT} {height - 2 * _UNIT} re S")
    out.append(f"0.14 w {_LEFT + inner} {_TOP + inner} {width - 2 * inner} {height - 2 * inner} re S")
    out += _dial(105, 36.5)
    return " ".join([*out, "Q"]).encode("ascii")


def _dial(x: float, y: float) -> list[str]:
    """A measuring dial with a small rosette, where other certificates carry an emblem."""
    out = [f"{_RED} RG 0.3 w q 1 0 0 1 {x} {y} cm {_circle(10.4)} S 0.12 w {_circle(9.7)} {_circle(7.1)} S Q"]
    out.append(f"{_GOLD} RG 0.16 w")
    out += _turned(x, y, 60, "0 7.6 m 0 9.2 l S")
    out.append(f"{_RED} RG 0.34 w")
    out += _turned(x, y, 12, "0 7.6 m 0 9.2 l S")
    out.append(f"{_GOLD} RG 0.2 w")
    out += _turned(x, y, 24, "0 1.6 m 2.4 3.2 2 5.4 0 6.6 c -2 5.4 -2.4 3.2 0 1.6 c S")
    out.append(f"{_RED} rg q 1 0 0 1 {x} {y} cm {_circle(1.25)} f Q")
    return out


#: The ornament of every certificate.
BORDER = border()
