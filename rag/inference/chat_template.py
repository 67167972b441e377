"""The chat template of a model file, rendered in a process of its own: it is a stranger's program and may never end.

Jinja's sandbox keeps a template from the file system, not from loops and strings without end. What is rendered holds marks in
the place of all texts, so it depends on the number of turns alone, and is rendered once for each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rag.inference import isolated_call

SLOT = "FOOTNOTESLOT{}X"
SLOTS = re.compile(SLOT.format(r"(\d+)"))
_TOGETHER = 8  # marks of the longest conversation that is rendered with the first one
_MEMORY = 256 * 2**20  # bytes
_CPU, _SECONDS = 2.0, 8.0
_LONGEST = 200_000  # characters around the marks
_known: dict[tuple[str, tuple[tuple[str, str], ...], int], tuple[str, str]] = {}


def render_chat_template(template: str, special: Mapping[str, str], slots: int) -> tuple[str, str]:
    """The template around `slots` marks (system, then question and answer in turn), and "" or what is wrong with it."""
    about = template, tuple(sorted(special.items()))
    if (*about, slots) not in _known:
        counts = sorted({slots, *range(2, max(slots, _TOGETHER) + 1, 2)})
        asked = {"template": template, "special": dict(special), "counts": counts}
        try:
            said = isolated_call.call(
                "rag.inference.chat_template:render", asked, _MEMORY, _CPU, _SECONDS
            )
        except isolated_call.Ended as ended:
            said = [["", f"it {ended}"]] * len(counts)
        for count, (text, wrong) in zip(counts, said, strict=True):
            _known[(*about, count)] = text, wrong
    return _known[(*about, slots)]


def render(asked: dict[str, Any]) -> list[tuple[str, str]]:
    """In the child: (text, what is wrong) for each of the counts."""
    return [_render(asked["template"], asked["special"], count) for count in asked["counts"]]


def _render(source: str, special: dict[str, str], slots: int) -> tuple[str, str]:
    names = [SLOT.format(at) for at in range(slots)]
    talk = [
        {"role": ("user", "assistant")[at % 2], "content": name}
        for at, name in enumerate(names[1:])
    ]
    tries = [
        [{"role": "system", "content": names[0]}, *talk],
        [
            {"role": "user", "content": f"{names[0]}\n\n{names[1]}"},
            *talk[1:],
        ],  # a template without a system role
    ]
    said = ""
    for messages in tries:
        try:
            text = _template(source).render(
                messages=messages, add_generation_prompt=True, **special
            )
        except MemoryError:
            raise
        except Exception as error:  # a template is a stranger's program: it may raise anything
            said = str(error)[:500] or type(error).__name__
            continue
        if len(text) > _LONGEST:
            said = f"it writes {len(text):,} characters around the conversation"
        elif SLOTS.findall(text) == [str(at) for at in range(slots)]:
            return str(text), ""
        else:
            said = "it leaves out or repeats a part of the conversation"
    return "", said


def _template(source: str):  # type: ignore[no-untyped-def]
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise ValueError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals.update(raise_exception=refuse, strftime_now=lambda _: "")
    return environment.from_string(source)
