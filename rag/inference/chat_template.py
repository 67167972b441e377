"""The chat template of a model file, rendered in a separate process with limits.

A template is a program of unknown origin. Jinja's sandbox keeps it from the file system, but not
from endless loops and strings. The conversation is rendered with a slot in place of each text, so
the result depends only on the number of turns and is rendered once for each number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypedDict, cast

from rag.errors import ModelBroken
from rag.inference import isolated_call

SLOT = "FOOTNOTESLOT{}X"
SLOTS = re.compile(SLOT.format(r"(\d+)"))
_FIRST_CALL_SLOTS = 8  # conversations of up to this many slots are rendered in the first call
_MEMORY_BYTES = 256 * 2**20
_CPU_SECONDS, _SECONDS = 2.0, 8.0
_MAX_CHARS = 200_000  # of a rendered conversation
#: (template, special tokens, number of slots): the result of `render_chat_template`
_rendered: dict[tuple[str, tuple[tuple[str, str], ...], int], tuple[str, str]] = {}


class _Request(TypedDict):
    """A template, the texts of its special tokens, and the numbers of slots to render."""

    template: str
    special: dict[str, str]
    counts: list[int]


def conversation(path: str, template: str | None, special: Mapping[str, str], slots: int) -> str:
    """The chat template of the model at `path` around `slots` placeholders.

    The first is for the system text; then questions and answers alternate, and the last is a
    question. Raises `ModelBroken` if there is no template, or one that cannot be used.
    """
    if not template:
        raise ModelBroken(
            f"{path} has no chat template, so it is not known how to talk to it",
            "use the model's -Instruct or -Chat file",
        )
    text, error = render_chat_template(template, special, slots)
    if error:
        raise ModelBroken(
            f"the chat template of {path} cannot be used: {error}",
            "use another file of this model",
        )
    return text


def render_chat_template(
    template: str,
    special: Mapping[str, str],
    slots: int,
    call: isolated_call.Call = isolated_call.call,
) -> tuple[str, str]:
    """(text, error): the conversation with `slots` slots; the error is "" if there is none.

    The slots are the system prompt, then question and answer in turn. `special` holds the texts of
    the special tokens by their names in templates. `call` runs a template in another process.
    """
    key = template, tuple(sorted(special.items()))
    if (*key, slots) not in _rendered:
        counts = sorted({slots, *range(2, max(slots, _FIRST_CALL_SLOTS) + 1, 2)})
        try:
            rendered = call(
                "rag.inference.chat_template:render",
                {"template": template, "special": {**special}, "counts": [*counts]},
                _MEMORY_BYTES,
                _CPU_SECONDS,
                _SECONDS,
            )
            results = cast(list[tuple[str, str]], rendered)
        except isolated_call.Ended as ended:
            results = [("", f"it {ended}")] * len(counts)
        for count, (text, error) in zip(counts, results, strict=True):
            _rendered[(*key, count)] = text, error
    return _rendered[(*key, slots)]


def render(request: _Request) -> list[tuple[str, str]]:
    """In the child process: (text, error) for each of the requested numbers of slots."""
    template, special = request["template"], request["special"]
    return [_render(template, special, count) for count in request["counts"]]


def _render(source: str, special: dict[str, str], slots: int) -> tuple[str, str]:
    names = [SLOT.format(number) for number in range(slots)]
    turns = [
        {"role": ("user", "assistant")[number % 2], "content": name}
        for number, name in enumerate(names[1:])
    ]
    with_system = [{"role": "system", "content": names[0]}, *turns]
    without_system = [{"role": "user", "content": f"{names[0]}\n\n{names[1]}"}, *turns[1:]]
    problem = ""
    for messages in (with_system, without_system):
        try:
            text = _template(source).render(
                messages=messages, add_generation_prompt=True, **special
            )
        except MemoryError:
            raise
        except Exception as error:  # a template may raise anything
            problem = str(error)[:500] or type(error).__name__
            continue
        if len(text) > _MAX_CHARS:
            problem = f"it writes {len(text):,} characters around the conversation"
        elif SLOTS.findall(text) == [str(number) for number in range(slots)]:
            return str(text), ""
        else:
            problem = "it leaves out or repeats a part of the conversation"
    return "", problem


def _template(source: str):  # type: ignore[no-untyped-def]
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise ValueError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals.update(raise_exception=refuse, strftime_now=lambda _: "")
    return environment.from_string(source)
