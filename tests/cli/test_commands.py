"""The command line: stdout, stderr, exit codes, JSON, and errors in words."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rag import Bot, Config, protocols
from rag import domain as d
from rag.cli.output import print_answer
from rag.errors import WeightsMissing
from rag.inference.weights import READER_FILE
from tests.support.fakes import passage

FOOTNOTE = str(Path(sys.executable).with_name("footnote"))
QUESTION = "How many individual sanctions has Russia faced?"
SEEDS = Path(__file__).resolve().parents[2] / "seeds"
ERRS = re.compile(
    r"lets \d+ % of unsupported claims pass, doubts \d+ % of supported ones "
    r"\([\d,]+ claims; quotations are compared letter by letter\)$",
    re.M,
)


def run(home: Path | None, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [FOOTNOTE, *(["--home", str(home)] if home else []), *arguments]
    more = {"stdin": subprocess.DEVNULL} | more if "input" not in more else more
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **more)


def test_an_answer_with_its_footnote(seeded: Path) -> None:
    done = run(seeded, "ask", QUESTION)
    assert done.returncode == 0, done.stderr
    assert "over 5,000 individual sanctions" in done.stdout
    assert "[1] ✓ supported" in done.stdout and "seeds/000_bac51fb96c89603d.txt:36" in done.stdout
    assert "passages" in done.stderr and "\x1b" not in done.stdout + done.stderr
    assert "\n→ 5,000\n\n[1]" in done.stdout, (
        "the short answer has a line of its own, before the footnotes"
    )
    assert ERRS.search(done.stderr.splitlines()[-1])
    assert run(seeded, "ask", "-q", QUESTION).stderr == ""


@pytest.mark.parametrize("form", ["@000_bac51fb96c89603d.txt", "@000_bac51fb96c89603d", "--in"])
def test_a_question_in_one_document_says_where_it_looked(seeded: Path, form: str) -> None:
    name = "000_bac51fb96c89603d.txt"
    extra = ["--in", f"seeds/{name}"] if form == "--in" else []
    asked = QUESTION if extra else f"{QUESTION} {form}"
    done = run(seeded, "ask", "--json", *extra, "--", asked)
    answer = json.loads(done.stdout)
    assert answer["within"] == [f"seeds/{name}"] and "5,000" in answer["answer"]
    assert answer["question"] == asked and answer["asked"] is None
    assert {p["source"] for p in answer["passages"]} == {f"seeds/{name}"}
    other = run(seeded, "ask", "--in", "seeds/001_400043732bb6859b.txt", QUESTION)
    assert "5,000" not in other.stdout
    assert other.stdout.startswith("looked only in seeds/001_400043732bb6859b.txt\n")


def test_a_document_that_is_not_there_is_named_with_the_nearest(seeded: Path) -> None:
    for arguments in (["--in", "000_bac51fb96c89603.txt", "Why?"], ["Why? @000_bac51.txt"]):
        done = run(seeded, "ask", *arguments)
        assert done.returncode == 2 and "there is no document called" in done.stderr
        assert "the nearest names: seeds/000_bac51fb96c89603d.txt" in done.stderr


def test_every_citation_of_the_json_is_its_slice_of_the_text(seeded: Path) -> None:
    done = run(seeded, "ask", "--json", "What did Lavrov say about sanctions?")
    answer = json.loads(done.stdout)
    assert set(answer) >= {
        "schema",
        "question",
        "answer",
        "short",
        "abstained",
        "reason",
        "claims",
        "passages",
        "receipt",
        "model",
        "seconds",
    }
    citations = [c for claim in answer["claims"] for c in claim["citations"]]
    assert citations
    for citation in citations:
        shown = json.loads(run(seeded, "show", citation["document"], "--json").stdout)
        assert shown["text"][citation["start"] : citation["end"]] == citation["quote"]
        assert shown["text"].count("\n", 0, citation["start"]) + 1 == citation["line"]
        assert (SEEDS.parent / shown["source"]).read_text(encoding="utf-8") == shown["text"]
    for claim in answer["claims"]:
        assert claim["text"] in answer["answer"][claim["start"] : claim["end"]]


def test_the_event_stream(seeded: Path) -> None:
    lines = [
        json.loads(line) for line in run(seeded, "ask", "--jsonl", QUESTION).stdout.splitlines()
    ]
    kinds = [e["event"] for e in lines if e["event"] not in ("loading", "reading")]
    assert kinds == ["retrieved", "token", "checked", "answered"]


def test_an_abstention_is_exit_3_with_its_reason_and_the_nearest(seeded: Path) -> None:
    done = run(seeded, "ask", "What is the boiling point of zirconium in Ouagadougou?")
    assert done.returncode == 3
    assert "NOT ANSWERED" in done.stdout and "nearest" in done.stdout
    answer = json.loads(run(seeded, "ask", "--json", "How tall is the Eiffel Tower?").stdout)
    assert (
        answer["abstained"]
        and answer["reason"] == "not_answered"
        and answer["passages"]
        and answer["missing"]
    )
    assert "the check" not in done.stderr, "nothing was checked"


def said(*sentences: str, **more: Any) -> d.Answer:
    """An answer that quotes passages 1, 2, ... one sentence each."""
    found, claims, text = [passage(n, s) for n, s in enumerate(sentences, 1)], [], ""
    for p in found:
        start, words = len(text), p.chunk.text
        text += f"{words} [{p.number}] "
        cited = (d.Citation(p.number, d.Span(len(text) - 4, len(text) - 1)),)
        leans = d.Evidence(p.number, p.chunk.document, p.chunk.source, p.chunk.span, words, 1)
        sentence = d.Sentence(words, d.Span(start, len(text) - 1), cited, p.chunk.span)
        claims.append(d.Claim(sentence, (leans,), d.Verdict.SUPPORTED, 1.0))
    return d.Answer(
        "How many?",
        text,
        claims=tuple(claims),
        passages=tuple(found),
        abstained=False,
        reason=None,
        receipt=d.Receipt(),
        model=d.Model("reader", "0" * 64),
        seconds=d.Seconds(),
        **({"short": None} | more),
    )


def test_sources_that_differ_are_named_before_the_footnotes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_answer(said("It has six bolts.", "It has nine bolts.", "Nine.", short="six", differ=True))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:4] == ["→ six", "≠ the sources differ: see [1] and [2]", ""] and lines[
        4
    ].startswith("[1] ✓")
    print_answer(
        said("It has six bolts.", short="six", differ=True)
    )  # stopped before the other side
    assert "≠ the sources differ\n" in capsys.readouterr().out
    print_answer(said("It has six bolts.", "It has nine bolts."))
    assert "→" not in (out := capsys.readouterr().out) and "≠" not in out


def test_a_short_answer_that_is_the_whole_sentence_is_not_said_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_answer(said("It has six bolts.", short="It has six bolts"))
    assert "→" not in capsys.readouterr().out
    print_answer(said("It has six [b]bolts[/b]\n\x1b[2J.", short="six [b]bolts[/b]\n\x1b[2J"))
    assert "→ six [b]bolts[/b] ␛[2J\n" in capsys.readouterr().out, (
        "one line, no markup, no command to the terminal"
    )


def test_an_answer_stands_where_the_rates_cannot_be_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def unread() -> protocols.ErrorRates:
        raise WeightsMissing(
            "the checker's figures cannot be read (reader.json)", "install the package again"
        )

    print_answer(said("It has six bolts."), measured=unread)
    told = capsys.readouterr()
    assert "[1] ✓ supported" in told.out and "footnote doctor" in told.err.splitlines()[-1]
    print_answer(
        said("It has six bolts."),
        measured=lambda: protocols.ErrorRates((0.3, 0.2, 0.4), (0.004, 0.0, 0.1), 2146),
    )
    assert (
        "lets 30 % of unsupported claims pass, doubts 0.4 % of supported ones (2,146"
        in capsys.readouterr().err
    )


def test_questions_from_stdin_and_the_conversation_goes_on(home: Path) -> None:
    assert "5,000" in run(home, "ask", "-", input=QUESTION).stdout
    alone = run(home, "ask", "-c", "When was the operation launched?")
    assert alone.returncode in (0, 3) and "looked up" not in alone.stderr
    with Bot.open(Config(home=str(home))) as bot:
        talks = bot.conversations()
    assert talks[0].turns == 2 and talks[0].title == QUESTION


def test_a_follow_up_is_completed_and_what_was_looked_up_is_said(home: Path) -> None:
    assert run(home, "ask", "Which sanctions has Russia faced?").returncode in (0, 3)
    done = run(home, "ask", "-c", "How many?")
    asked = "How many sanctions has Russia faced?"
    assert f"looked up: {asked}\n" in done.stderr and "5,000" in done.stdout
    again = json.loads(run(home, "ask", "-c", "--json", "Since when?").stdout)
    assert (again["question"], again["asked"]) == (
        "Since when?",
        "Since when has Russia faced sanctions?",
    )
    assert "looked up" not in run(home, "ask", "-q", "-c", "And why?").stderr
    assert json.loads(run(home, "ask", "--json", "How many?").stdout)["asked"] is None, (
        "no conversation, nothing to complete"
    )


@pytest.mark.slow
def test_nothing_to_look_in_is_exit_5_and_says_what_to_do(tmp_path: Path) -> None:
    done = run(tmp_path / "empty", "ask", QUESTION)
    assert done.returncode == 5 and done.stdout == ""
    assert "footnote add" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "empty").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["ask", ""], 2, "no question"),
        (["ask", "--model", "nope", "Why?"], 5, "no model called"),
        (["show", "nothing.txt"], 2, "footnote list"),
        (["add"], 2, "PATHS"),
        (["add", "/nowhere/at/all"], 1, "No such file"),
        (["remove", "nothing.txt"], 2, "no document"),
        (["frobnicate"], 2, "No such command"),
        (["check", "/nowhere.jsonl"], 2, "nowhere.jsonl"),
        (["eval"], 2, "a file of questions"),
        (["models", "use", "/nowhere.gguf"], 5, "no file"),
        (["--library", "../x", "list"], 2, "name of a library"),
    ],
)
def test_errors_name_the_thing_and_the_cure(
    home: Path, arguments: list[str], code: int, says: str
) -> None:
    done = run(home, *arguments)
    assert done.returncode == code, done.stderr
    assert says in done.stderr and "Traceback" not in done.stderr and done.stdout == ""


def test_without_a_terminal_there_is_help_on_stderr_and_exit_2(seeded: Path) -> None:
    done = run(seeded)
    assert done.returncode == 2 and done.stdout == "" and "Usage: footnote" in done.stderr


def test_python_m_rag_is_the_same_command(seeded: Path, tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise SystemExit('stolen')")
    command = [sys.executable, "-m", "rag", "--home", str(seeded), "list", "--json"]
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONSAFEPATH"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environ)
    assert done.returncode == 0, done.stderr
    documents = json.loads(done.stdout)["documents"]
    assert [d["source"] for d in documents] == [
        f"seeds/{p.name}" for p in sorted(SEEDS.glob("*.txt"))
    ]
    assert set(documents[0]) == {
        "id",
        "source",
        "title",
        "date",
        "chunks",
        "by_words",
        "bytes",
        "state",
        "reason",
        "cure",
        "path",
        "file",
        "copies",
    }


def test_add_sync_remove_report_as_json(home: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text(
        "The lighthouse at Skagen was built in 1858. It is lit.\n"
    )
    report = json.loads(run(home, "add", str(tmp_path / "notes"), "--json").stdout)
    assert report["added"] == ["notes/a.txt"] and report["failed"] == []
    assert "1858" in run(home, "ask", "When was the lighthouse at Skagen built?").stdout
    (tmp_path / "notes" / "a.txt").write_text(
        "The lighthouse at Skagen was built in 1859. It is lit.\n"
    )
    assert json.loads(run(home, "sync", "--json").stdout)["changed"] == ["notes/a.txt"]
    assert "1859" in run(home, "ask", "When was the lighthouse at Skagen built?").stdout
    assert json.loads(run(home, "remove", "notes", "--json").stdout)["removed"] == ["notes/a.txt"]
    assert len(json.loads(run(home, "list", "--json").stdout)["documents"]) == 5


def test_search_and_check_speak_json(seeded: Path, tmp_path: Path) -> None:
    passages = json.loads(run(seeded, "search", "--json", "-k", "3", "unipolar world").stdout)[
        "passages"
    ]
    assert [p["n"] for p in passages] == [1, 2, 3] and passages[0]["ranks"]["fused"] == 1
    claims = tmp_path / "claims.jsonl"
    claims.write_text(
        '{"id": 7, "claim": "The pump has six bolts.",'
        ' "passage": "The pump has six bolts. It is old."}\n'
        '{"id": "x", "claim": "The pump has nine bolts.",'
        ' "passage": "The pump has six bolts. It is old."}\n'
    )
    done = run(seeded, "check", str(claims))
    assert ERRS.search(done.stderr) and run(seeded, "check", "-q", str(claims)).stderr == ""
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(v["id"], v["verdict"]) for v in verdicts] == [(7, "supported"), ("x", "contradicted")]
    assert all(0 <= v["score"] <= 1 and v["reasons"] for v in verdicts)


def test_models_are_listed_chosen_and_remembered(home: Path, tiny: Path) -> None:
    assert run(home, "models", "use", str(tiny)).returncode == 0
    listed = json.loads(run(home, "models", "list", "--json").stdout)["models"]
    assert [m["name"] for m in listed if m["in_use"]] == [str(tiny)]
    assert run(home, "models", "use", "reader").returncode == 0
    assert "5,000" in run(home, "ask", QUESTION).stdout


def test_doctor_is_content_with_a_good_home_and_names_the_cure_in_a_bad_one(home: Path) -> None:
    done = run(home, "doctor")
    assert done.returncode == 0 and ERRS.search(done.stdout)
    assert f"✓ model      footnote-reader {READER_FILE.sha256[:12]}, verified" in done.stdout
    for manifest in (home / "libraries" / "default" / "vectors").glob("*.json"):
        manifest.unlink()
    done = run(home, "doctor", "--json")
    bad = [f for f in json.loads(done.stdout)["findings"] if not f["good"]]
    assert (
        done.returncode == 1
        and [f["what"] for f in bad] == ["index"]
        and bad[0]["cure"] == "footnote rebuild"
    )
    assert run(home, "rebuild").returncode == 0
    assert run(home, "doctor").returncode == 0


def test_doctor_names_a_damaged_reader_and_its_cure(home: Path, tmp_path: Path) -> None:
    package = tmp_path / "here" / "rag"
    shutil.copytree(
        SEEDS.parent / "rag",
        package,
        ignore=shutil.ignore_patterns("models", "training", "__pycache__"),
    )
    (package / "models").mkdir()
    (package / "models" / "reader.gguf").write_bytes(b"GGUF")
    done = subprocess.run(
        [sys.executable, "-m", "rag", "--home", str(home), "doctor", "--json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(package.parent)},
    )
    bad = [f for f in json.loads(done.stdout)["findings"] if not f["good"]]
    assert done.returncode == 1 and [f["what"] for f in bad] == ["model", "check"]
    assert all("reader.gguf is damaged" in f["says"] and f["cure"] for f in bad)


def test_a_second_writer_is_refused_within_seconds_and_told_who_writes(
    home: Path, tmp_path: Path
) -> None:
    code = (
        "import sys, time\nfrom rag import Bot, Config\n"
        f"bot = Bot.open(Config(home={str(home)!r})); bot.status()\n"
        "with bot.access.writing():\n    print('held', flush=True); time.sleep(30)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout and holder.stdout.readline() == "held\n"
        started = time.monotonic()
        done = run(home, "add", str(SEEDS))
        assert time.monotonic() - started < 5
        assert done.returncode == 1 and f"process {holder.pid} is writing" in done.stderr
        assert "5,000" in run(home, "ask", QUESTION).stdout  # a reader is not kept waiting
    finally:
        holder.kill()
        holder.wait()
    assert run(home, "add", str(SEEDS)).returncode == 0  # the lock died with its holder


def hears() -> None:
    """Make a command receive ctrl+c, even if the tests run in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_stops_an_ingest_cleanly_and_the_next_one_goes_on(
    home: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for n in range(400):
        (folder / f"{n:03}.txt").write_text(
            "".join(f"Line {k} of file {n} tells of thing {k * n}.\n\n" for k in range(60))
        )
    command = [FOOTNOTE, "--home", str(home), "add", str(folder)]
    indexes = sorted(home.glob("libraries/*/vectors/gen-*.json"))
    adding = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=hears
    )
    with closing(sqlite3.connect(home / "libraries" / "default" / "library.db")) as db:
        while (
            adding.poll() is None
            and db.execute("SELECT count(*) FROM documents").fetchone()[0] <= 5
        ):
            time.sleep(0.1)  # the first of the many are in
    started = time.monotonic()
    adding.send_signal(signal.SIGINT)
    _, said = adding.communicate(timeout=60)
    assert time.monotonic() - started < 4  # one second is promised; a busy machine may take longer
    assert (
        adding.returncode == 130 and "Traceback" not in said and "the same command goes on" in said
    )
    assert indexes == sorted(
        home.glob("libraries/*/vectors/gen-*.json")
    )  # nobody waits for the index then
    asked = run(home, "ask", "--jsonl", "What does line 3 of file 1 tell of?").stdout
    assert (
        "the index: vectors of " in asked
        and "the index: words of " in asked
        and '"event": "answered"' in asked
    )
    assert (
        "the index" not in run(home, "ask", "--jsonl", "What does line 3 of file 2 tell of?").stdout
    )
    assert run(home, "doctor").returncode == 0
    assert 5 < len(json.loads(run(home, "list", "--json").stdout)["documents"]) < 405


DEAF = """
import hashlib
from rag.cli.ingest_run import exit_on_interrupt
with exit_on_interrupt("it is said"):
    print("begun", flush=True)
    # one call of minutes, in which the main thread handles no signal
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)
"""


@pytest.mark.slow
def test_ctrl_c_ends_what_does_not_hear_it() -> None:
    deaf = subprocess.Popen(
        [sys.executable, "-c", DEAF],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hears,
    )
    try:
        assert deaf.stdout and deaf.stdout.readline() == "begun\n"
        deaf.send_signal(signal.SIGINT)
        _, said = deaf.communicate(timeout=20)
        assert deaf.returncode == 130 and said.strip() == "it is said"
    finally:
        deaf.kill()


def test_a_closed_pipe_is_quiet(seeded: Path) -> None:
    done = subprocess.run(
        f'"{FOOTNOTE}" --home "{seeded}" list | head -n 0',
        shell=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""


def test_json_is_ascii_and_text_has_no_control_characters(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "evil\x1b[31m"
    folder.mkdir()
    (folder / "a\x1b]52;c;aGk=\x07.txt").write_text(
        "The \x1b[2Jsecret \x9bword of the \u202egnome\u202c is [1] xyzzy.\n"
    )
    assert run(home, "add", str(folder)).returncode == 0
    for arguments in (
        ["list"],
        ["ask", "What is the secret word of the gnome?"],
        ["search", "gnome"],
        ["show", "gnome"],
        ["doctor"],
    ):
        done = run(home, *arguments)
        for char in done.stdout + done.stderr:
            assert char in "\n\t" or char.isprintable(), (arguments, char)
    done = run(home, "ask", "--json", "What is the secret word of the gnome?")
    assert done.stdout.isascii()
    answer = json.loads(done.stdout)
    assert (
        "\x1b[2J" in answer["claims"][0]["citations"][0]["quote"]
    )  # what is stored stays as it is
