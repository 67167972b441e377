"""Invalid model files become error messages, whatever they do to llama.cpp.

A valid file is tried only once.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rag.config import Config
from rag.disk.strict_json import Json
from rag.errors import ModelBroken
from rag.inference import gguf_header, isolated_call, model_trial
from rag.inference.chat_template import render_chat_template
from rag.inference.weights import list_chat_models
from rag.upkeep.doctor import run_checks
from tests.faults.headers import mutations
from tests.support import tiny_chat_model

pytestmark = pytest.mark.slow


def test_most_lies_are_seen_without_llama_cpp(tmp_path: Path, tiny: Path) -> None:
    path, seen, many, good = tmp_path / "m.gguf", 0, 0, tiny.read_bytes()
    assert gguf_header.check_header(tiny).version == 3
    for name, content in mutations(good):
        path.write_bytes(content)
        many += 1
        try:
            gguf_header.check_header(path)
        except ModelBroken as error:
            seen += 1
            assert str(path) in str(error) and error.cure, name
        if name.startswith("cut at"):
            with pytest.raises(ModelBroken):
                gguf_header.check_header(path)
    assert many > 800 and seen > 0.6 * many


#: what passes the header and ends llama.cpp, or may
SLY = [
    "tokenizer b'none'",
    "tokenizer b'bert'",
    "llama.attention.head_count = 0",
    "all tokens of type 6",
    "output.weight missing",
]


@pytest.mark.parametrize("what", SLY)
def test_a_file_that_ends_llama_cpp_is_an_error_message(
    tmp_path: Path, tiny: Path, what: str
) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(dict(mutations(tiny.read_bytes()))[what])
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from rag.errors import ModelBroken\n"
        "from rag.inference import model_trial\n"
        "try:\n"
        "    model_trial.require_tried(sys.argv[1], Path(sys.argv[2]), model_trial.CHAT)\n"
        "except ModelBroken as error:\n"
        "    assert sys.argv[2] in str(error) and error.cure\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )  # a process of its own: the peak is of all children that a process ever had
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), str(path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 2**20  # kB


def test_numbers_that_are_not_finite_are_reported(tmp_path: Path, tiny: Path) -> None:
    path, good = tmp_path / "m.gguf", tiny.read_bytes()
    path.write_bytes(good[: len(good) // 2] + b"\xff" * (len(good) - len(good) // 2))
    with pytest.raises(ModelBroken, match="not a number"):
        model_trial.require_tried(str(tmp_path), path, model_trial.CHAT)


def _never(*_: object) -> Json:
    raise AssertionError("it was tried again")


def test_a_file_is_tried_once(tmp_path: Path, tiny: Path) -> None:
    digest = model_trial.require_tried(str(tmp_path), tiny, model_trial.CHAT)
    assert model_trial.require_tried(str(tmp_path), tiny, model_trial.CHAT, _never) == digest
    with pytest.raises(AssertionError):
        model_trial.require_tried(str(tmp_path), tiny, model_trial.EMBEDDER, _never)
    (tmp_path / "models" / "tried.json").write_text('{"x": 3, "y"')
    with pytest.raises(AssertionError):
        model_trial.require_tried(str(tmp_path), tiny, model_trial.CHAT, _never)


def abort(_: object) -> None:
    os.abort()


def hang(_: object) -> None:
    while True:
        pass


def eat(_: object) -> int:
    return len(b"x" * 10**10)


def wait(_: object) -> None:
    time.sleep(60)


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("abort", "stopped with signal 6"),
        ("hang", "took too long"),
        ("eat", "too much memory"),
        ("wait", "took too long"),
    ],
)
def test_a_child_is_ended_by_its_limits(what: str, says: str) -> None:
    with pytest.raises(isolated_call.Ended, match=says):
        isolated_call.call(f"tests.inference.test_model_trial:{what}", None, 2**30, 1, 6)


def test_a_child_that_raises_is_no_answer() -> None:
    with pytest.raises(isolated_call.Ended, match="exit code 1"):
        isolated_call.call("tests.inference.test_model_trial:nothing", None, 2**28, 5, 20)


HOSTILE = {
    "loops": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "product": "{{ 'x' * 10**10 }}",
    "doubling": (
        "{% set n = namespace(x='a') %}"
        "{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}"
    ),
    "macro": "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "filter": "{{ 'x' | center(10**9) }}",
    "width": "{{ '%1000000000d' % 1 }}",
    "lists": "{{ (range(99999) | list) * 99999 }}",
    "long": "{{ 'a' * 300000 }}",
    "escape": "{{ cycler.__init__.__globals__ }}",
    "nested": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "broken": "{% for m in messages %}",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_template_is_ended(what: str) -> None:
    started = time.monotonic()
    text, wrong = render_chat_template(HOSTILE[what], {"bos_token": "", "eos_token": ""}, 2)
    assert not text and wrong and time.monotonic() - started < 15


def test_conversations_of_several_lengths_are_rendered_together() -> None:
    template = "{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}{{ bos_token }}"
    assert render_chat_template(template, {"bos_token": "B"}, 4)[0].startswith(
        "system:FOOTNOTESLOT0X;user:FOOTNOTESLOT1X;assistant:"
    )
    assert render_chat_template(template, {"bos_token": "B"}, 2, _never) == (
        "system:FOOTNOTESLOT0X;user:FOOTNOTESLOT1X;B",
        "",
    )


def test_the_list_of_models_holds_files_only(tmp_path: Path, tiny: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "dangling.gguf").symlink_to("nothing")
    (models / "loop.gguf").symlink_to("loop.gguf")
    (models / "zero.gguf").symlink_to("/dev/zero")
    (models / "folder.gguf").mkdir()
    os.mkfifo(models / "pipe.gguf")
    (models / "linked.gguf").symlink_to(tiny)
    (models / "short.gguf").write_bytes(b"GG")
    assert [model.name for model in list_chat_models(str(tmp_path))] == ["linked", "short"]
    (finding,) = [
        f for f in run_checks(Config(home=str(tmp_path), model="short")) if f.what == "model"
    ]
    assert not finding.good and finding.cure


def test_a_template_that_cannot_be_used_is_refused_before_the_model_is_chosen(tiny: Path) -> None:
    model_trial.require_template(tiny)


@pytest.mark.parametrize(
    "template",
    [
        "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
        "{{ 'x' * 10000000000 }}",
        "{{ unclosed",
        "no slot at all",
    ],
)
def test_templates_without_end_or_sense(tmp_path: Path, template: str) -> None:
    path = tiny_chat_model.write(tmp_path / "m.gguf", template=template)
    with pytest.raises(ModelBroken, match="cannot be used"):
        model_trial.require_template(path)
