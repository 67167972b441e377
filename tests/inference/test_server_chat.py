"""The chat model of a server: what is sent, what is taken, and every way in which a server fails."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from rag.config import Config
from rag.errors import ServerFailed, TooLong, Usage
from rag.inference import server_check, server_stream
from rag.inference.server_chat import USER_MARK, ServerChat, without_control_tokens
from rag.inference.server_connection import KEY_VARIABLE, Patience
from rag.server_address import ServerAddress, parse_server
from tests.support.chat_server import STATUSES, ChatServer

QUICK = Patience(connect_seconds=2, silent_seconds=1.5, pause_seconds=0.01)


def _chat(server: ChatServer, model: str = "tale", patience: Patience = QUICK) -> ServerChat:
    chat = ServerChat(server.address(model), 4096, patience)
    _read(chat, "When was it built?")
    return chat


def _read(chat: ServerChat, text: str) -> None:
    list(chat.read([*chat.tokens(USER_MARK, special=True), *chat.tokens(text, special=False)]))


def _written(chat: ServerChat, tokens: int = 60) -> str:
    return "".join(chat.write(tokens, 0.0, 7))


# -- what is sent


def test_messages_are_what_was_read(chat_server: ChatServer) -> None:
    chat = ServerChat(chat_server.address(), 4096, QUICK)
    texts = ["Answer.", "Grüße, \0 {system} {user} 日本 \x07 end\n"]
    ids = list[int]()
    for part in re.split(r"FOOTNOTESLOT(\d+)X", chat.conversation(2)):
        slot = part.isdigit()
        ids += chat.tokens(texts[int(part)] if slot else part, special=not slot)
    list(chat.read(ids))
    assert _written(chat) == chat_server.text
    method, path, headers, body = chat_server.requests[-1]
    assert (method, path) == ("POST", "/v1/chat/completions")
    assert body == {
        "model": "tale",
        "messages": [
            {"role": "system", "content": "Answer."},
            {"role": "user", "content": "Grüße,  {system} {user} 日本  end\n"},
        ],
        "max_tokens": 60,
        "temperature": 0.0,
        "seed": 7,
        "stream": True,
    }
    assert "authorization" not in headers and headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "text",
    ["<|im_end|>", "</s>", "<s>", "[INST] a", "[/INST]", "<<SYS>>", "<start_of_turn>", "<｜end｜>"],
)
def test_strangers_text_forms_no_control_token(text: str) -> None:
    spaced = without_control_tokens(f"before {text} after")
    assert text not in spaced and spaced.replace(" ", "") == f"before{text}after".replace(" ", "")


def test_other_text_is_sent_as_it_is() -> None:
    text = "a < b > c [1] [sic] [Note] 3 <4 -> x\ty\n"
    assert without_control_tokens(text) == text


def test_the_key_is_of_the_environment_and_in_no_message(
    chat_server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "secret-key-7")
    assert _written(_chat(chat_server))
    assert chat_server.requests[-1][2]["authorization"] == "Bearer secret-key-7"
    with pytest.raises(ServerFailed) as failed:
        _written(_chat(chat_server, "status-401"))
    assert "secret" not in str(failed.value) + failed.value.cure
    assert KEY_VARIABLE in failed.value.cure and "not accepted" in failed.value.cure
    monkeypatch.setenv(KEY_VARIABLE, "broken\nkey")
    with pytest.raises(ServerFailed, match=KEY_VARIABLE) as failed:
        _written(_chat(chat_server))
    assert "broken" not in str(failed.value)


def test_neither_proxies_nor_netrc_are_used(
    chat_server: ChatServer, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    netrc = tmp_path / "netrc"  # type: ignore[operator]
    netrc.write_text("machine 127.0.0.1 login me password hidden\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert _written(_chat(chat_server)) == chat_server.text
    assert "authorization" not in chat_server.requests[-1][2]


def test_a_prompt_over_the_context_is_too_long() -> None:
    chat = ServerChat(ServerAddress("http://127.0.0.1:9/v1", "m"), 8)
    with pytest.raises(TooLong):
        _read(chat, "word " * 20)


# -- what is taken


def test_events_are_read_between_other_lines(chat_server: ChatServer) -> None:
    assert _written(_chat(chat_server, "other-lines")) == chat_server.text


def test_a_busy_server_is_asked_again(chat_server: ChatServer) -> None:
    assert _written(_chat(chat_server, "busy")) == chat_server.text
    assert len(chat_server.bodies()) == 3


def test_control_characters_of_a_server_are_dropped(chat_server: ChatServer) -> None:
    chat_server.text = "The \x1b[31mmill\x07 was\x00 built\x9b."
    assert _written(_chat(chat_server)) == "The [31mmill was built."


@pytest.mark.parametrize("model", ["endless", "huge-event"])
def test_an_answer_has_an_end_whatever_the_server_sends(
    chat_server: ChatServer, model: str
) -> None:
    started_at = time.monotonic()
    text = _written(_chat(chat_server, model), tokens=20)
    assert 20 <= len(text) <= 20 * 64
    assert time.monotonic() - started_at < 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "says", "asked"),
    [
        ("page", "text/html", 1),
        ("huge-line", "a line of more than 256 kB", 1),
        ("malformed", "malformed JSON", 1),
        ("nested", "malformed JSON|no part of a chat", 1),
        ("not-a-completion", "no part of a chat completion", 1),
        ("fails-inside", "out of memory", 1),
        ("silent", "has said nothing for 1.5 seconds", 1),
        ("stalls", "has said nothing for 1.5 seconds", 1),
        ("endless-comments", "has said nothing for 1.5 seconds", 1),
        ("endless-nothing", "sends without end|has said nothing", 1),
        ("begins-only", "closed the connection without a word", 1),
        ("closes", "closed the connection in the middle", 1),
        ("breaks", "broke off in the middle", 1),
        ("hangs-up", "cannot be reached", 3),
        ("elsewhere", "redirects to localhost:[0-9]+, where nothing is sent", 1),
        ("status-400", "HTTP 400: refused", 1),
        ("status-401", "HTTP 401: refused", 1),
        ("status-404", "HTTP 404", 1),
        ("status-429", "HTTP 429", 3),
        ("status-500", "HTTP 500", 3),
    ],
)
def test_every_failure_says_which_server_what_and_what_to_do(
    chat_server: ChatServer, model: str, says: str, asked: int
) -> None:
    started_at = time.monotonic()
    with pytest.raises(ServerFailed, match=says) as failed:
        _written(_chat(chat_server, model))
    assert time.monotonic() - started_at < 20
    assert f"127.0.0.1:{chat_server.port}" in str(failed.value) and failed.value.cure
    assert len(str(failed.value)) < 400 and str(failed.value).isprintable()
    assert len(chat_server.bodies()) == asked


def test_what_cannot_be_reached_is_said_at_once(chat_server: ChatServer) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    chat = ServerChat(ServerAddress(f"http://127.0.0.1:{port}/v1", "m"), 4096, QUICK)
    _read(chat, "Which?")
    with pytest.raises(ServerFailed, match="cannot be reached") as failed:
        _written(chat)
    assert "--model reader" in failed.value.cure


def test_text_over_tls_is_not_sent_to_a_server_without_it(chat_server: ChatServer) -> None:
    address = ServerAddress(f"https://127.0.0.1:{chat_server.port}/v1", "m")
    chat = ServerChat(address, 4096, QUICK)
    _read(chat, "Which?")
    with pytest.raises(ServerFailed, match="cannot be reached"):
        _written(chat)
    assert chat_server.bodies() == []


# -- the stop


@pytest.mark.slow
@pytest.mark.parametrize("model", ["silent", "stalls", "endless", "status-503", "endless-comments"])
def test_a_stop_takes_effect_within_a_third_of_a_second(
    chat_server: ChatServer, model: str
) -> None:
    patience = Patience(silent_seconds=30, pause_seconds=20)
    chat = _chat(chat_server, model, patience)
    asked = threading.Event()
    threading.Timer(0.4, asked.set).start()
    stopped_at = 0.0

    def stop() -> bool:
        nonlocal stopped_at
        stopped = asked.is_set()  # looked at once: it is set while this runs
        if stopped and not stopped_at:
            stopped_at = time.monotonic()
        return stopped

    list(chat.write(10**6, 0.0, 0, stop))
    assert stopped_at and time.monotonic() - stopped_at < 0.3


def test_a_closed_iterator_closes_the_connection(chat_server: ChatServer) -> None:
    pieces = _chat(chat_server, "endless").write(10**6, 0.0, 0)
    next(pieces)
    pieces.close()
    assert chat_server.closed.wait(5)


def test_no_thread_is_left_over(chat_server: ChatServer) -> None:
    for model in ("tale", "closes", "endless", "status-500"):
        pieces = _chat(chat_server, model).write(5, 0.0, 0)
        with suppress(ServerFailed):
            list(pieces)
    until = time.monotonic() + 5
    while time.monotonic() < until and any(t.name == "chat server" for t in threading.enumerate()):
        time.sleep(0.02)
    assert not [t for t in threading.enumerate() if t.name == "chat server"]


# -- names and checks


def test_the_only_model_is_found_and_of_several_one_is_named(chat_server: ChatServer) -> None:
    bare = ServerAddress(chat_server.url)
    assert ServerChat.open(bare, 4096, QUICK).address.model == "tale"
    chat_server.models = ["one", "two", "bad\x1bname"]
    with pytest.raises(ServerFailed, match="one, two") as failed:
        ServerChat.open(bare, 4096, QUICK)
    assert f"{chat_server.url}#NAME" in failed.value.cure
    chat_server.models = []
    with pytest.raises(ServerFailed, match="0 models"):
        ServerChat.open(bare, 4096, QUICK)


@pytest.mark.slow
def test_a_check_writes_a_few_words_and_sends_no_document(chat_server: ChatServer) -> None:
    assert "tale at 127.0.0.1" in server_check.check_server(ServerAddress(chat_server.url), 1)
    trial = server_check.try_server(ServerAddress(chat_server.url), 1)
    assert trial.address.setting == f"{chat_server.url}#tale" and "answers" in trial.says
    assert [m["role"] for m in chat_server.bodies()[0]["messages"]] == ["user"]
    with pytest.raises(ServerFailed, match="no model 'other'"):
        server_check.check_server(chat_server.address("other"), 1)
    chat_server.text = ""
    with pytest.raises(ServerFailed, match="writes nothing"):
        server_check.try_server(ServerAddress(chat_server.url), 1)
    page = ServerAddress(f"http://127.0.0.1:{chat_server.port}/page", "m")
    with pytest.raises(ServerFailed, match="text/html"):
        server_check.check_server(page, 1)


@pytest.mark.parametrize(
    ("text", "url", "model", "here"),
    [
        ("http://localhost:8080", "http://localhost:8080/v1", "", True),
        ("http://[::1]:8080/v1/#a:7b", "http://[::1]:8080/v1", "a:7b", True),
        ("https://models.example/api/v1#m", "https://models.example/api/v1", "m", False),
    ],
)
def test_addresses_are_read(text: str, url: str, model: str, here: bool) -> None:
    address = parse_server(text)
    assert address and (address.url, address.model) == (url, model)
    assert address.is_this_computer is here and address.host in address.says
    assert parse_server(address.setting) == address
    assert Config(model=text).server == address


def test_what_is_sent_without_encryption_is_said() -> None:
    for text, says in (
        ("http://models.example/v1", True),
        ("https://models.example/v1", False),
        ("http://127.0.0.1/v1", False),
    ):
        address = parse_server(text)
        assert address and ("not encrypted" in address.says) is says


@pytest.mark.parametrize(
    "text",
    [
        "http://me:secret@host/v1",
        "https://secret@host",
        "http://host/v1?key=secret",
        "ftp://host/secret",
        "http://",
        "http://host:secret/v1",
        "http://[::1/secret",
        "http://host/v1#a b\x1b",
        "http://" + "h" * 2000,
    ],
)
def test_addresses_with_secrets_or_faults_are_refused(text: str) -> None:
    with pytest.raises(Usage) as refused:
        Config(model=text)
    assert "secret@" not in str(refused.value) and "=secret" not in str(refused.value)
    assert refused.value.cure


def test_other_models_are_no_servers() -> None:
    for name in ("reader", "qwen", "/models/a.gguf", "C:\\models\\a.gguf"):
        assert parse_server(name) is None


# -- hostile bytes


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_are_the_same_however_they_are_cut(size: int) -> None:
    whole = (
        'data: {"choices": [{"delta": {"content": "Grüße 日本"}}]}\r\n\n: c\ndata: [DONE]'.encode()
    )
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    events = [server_stream.read_event(line, "h") for line in server_stream.lines_of(pieces, "h")]
    assert [e.text for e in events if e] == ["Grüße 日本", ""]
    assert [e.ended for e in events if e] == [False, True]


def test_a_long_line_in_small_pieces_costs_no_more_than_its_length() -> None:
    def seconds(size: int) -> float:
        started_at = time.perf_counter()
        with pytest.raises(ServerFailed):
            list(server_stream.lines_of((b"x" * size for _ in range(2**22 // size)), "h"))
        return time.perf_counter() - started_at

    assert seconds(64) < 5.0


@pytest.mark.slow
def test_no_text_of_an_error_carries_control_characters(chat_server: ChatServer) -> None:
    for model in STATUSES:
        with pytest.raises(ServerFailed) as failed:
            _written(_chat(chat_server, model))
        assert str(failed.value).isprintable()


def test_an_error_object_may_be_anything() -> None:
    values: list[object] = [None, "", 7, [], {}, {"message": None}, {"message": ["x"]}, "words"]
    read: Callable[[str], str] = lambda text: server_stream.problem_in(json.loads(text))  # noqa: E731
    for value in values:
        assert isinstance(read(json.dumps({"error": value})), str)
    assert read('{"error": "words"}') == "words" and read("[]") == ""
