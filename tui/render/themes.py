"""Themes whose texts can be read: the colours of Textual's themes, with enough contrast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from textual.color import BLACK, WHITE, Color
from textual.theme import Theme

#: The least contrast of a text to its background (WCAG 2, level AA).
MIN_CONTRAST = 4.5
#: Each colour of a text, and the backgrounds that it stands on.
TEXTS: Mapping[str, tuple[str, ...]] = {
    "foreground": ("background", "surface", "panel"),
    "text-success": ("background", "surface"),
    "text-warning": ("background", "surface", "warning-muted"),
    "text-error": ("background", "surface"),
    "text-accent": ("background", "surface"),
    "text-secondary": ("background", "surface"),
}
#: The backgrounds of muted text, and the least share of the foreground in it. (A theme has
#: "auto 60%", which is opaque inside a text.)
_MUTED_GROUNDS, _MUTED_SHARE = ("background", "surface", "panel"), 0.6
#: Steps of moving a colour towards black or white.
_STEPS = 20
LIGHT, DARK = "textual-light", "textual-dark"


def readable(theme: Theme) -> Theme:
    """Return the theme with every colour of `TEXTS` moved until it can be read.

    A theme of the terminal's own colours has no known contrast. Its evidence stands on the
    background of the terminal: the shade of its warnings would be their very colour.
    """
    if theme.ansi:
        return replace(theme, variables={**theme.variables, "warning-muted": "ansi_default"})
    colors = {**theme.to_color_system().generate(), **theme.variables}
    moved = {
        text: _moved(Color.parse(colors[text]), [Color.parse(colors[name]) for name in grounds]).hex
        for text, grounds in TEXTS.items()
    }
    full = Color.parse(moved["foreground"])
    muted = _muted(full, [Color.parse(colors[name]) for name in _MUTED_GROUNDS]).hex
    return replace(theme, variables={**theme.variables, **moved, "text-muted": muted})


def contrast(first: Color, second: Color) -> float:
    """Return the contrast ratio of two colours, from 1 to 21."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def choose_theme(names: Iterable[str], remembered: str, is_light: bool) -> str:
    """Return the remembered theme if it exists, or else that of the background."""
    return remembered if remembered in set(names) else (LIGHT if is_light else DARK)


def _muted(foreground: Color, grounds: list[Color]) -> Color:
    """Return the faintest shade of `foreground` that can be read on all `grounds`."""
    steps = range(round(_STEPS * _MUTED_SHARE), _STEPS)
    shades = (grounds[0].blend(foreground, step / _STEPS) for step in steps)
    can_be_read = (
        shade
        for shade in shades
        if all(contrast(shade, ground) >= MIN_CONTRAST for ground in grounds)
    )
    return next(can_be_read, foreground)


def _moved(color: Color, grounds: list[Color]) -> Color:
    """Return `color`, moved to black or white until it can be read on all `grounds`."""

    def least(candidate: Color) -> float:
        return min(contrast(candidate, ground) for ground in grounds)

    end = max((BLACK, WHITE), key=least)
    steps = (color.blend(end, step / _STEPS) for step in range(_STEPS + 1))
    return next((step for step in steps if least(step) >= MIN_CONTRAST), end)


def _luminance(color: Color) -> float:
    """Return the relative luminance of a colour, as WCAG 2 defines it."""

    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(value) for value in color.normalized)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
