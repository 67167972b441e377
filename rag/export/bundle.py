"""A conversation as a JSON bundle: answers with quotes, places and passages, hashes of documents.

The id of a document is the begin of the SHA-256 of its text, so a bundle can be verified against
the documents themselves (`verify`), without a model.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rag.disk import regular_files, strict_json
from rag.disk.result_files import begins, never_replace, write_result
from rag.disk.strict_json import Json
from rag.domain import SavedTurn
from rag.errors import Unreadable, Usage
from rag.export import html, markdown
from rag.export.conversation import turn_objects
from rag.export.html import conversation_html
from rag.export.markdown import conversation_markdown

KIND = "footnote conversation"
#: the begin of a bundle file; a file that begins otherwise is never overwritten
MARK = f'{{"kind": "{KIND}"'
SCHEMA = 1
#: bytes of a bundle that is read
MAX_BUNDLE_BYTES = 256 * 2**20

#: name of a format, ending of its files, begin of its files
FORMATS = {
    "markdown": (".md", markdown.MARK),
    "html": (".html", html.MARK),
    "json": (".json", MARK),
}


def export_conversation(
    form: str, conversation: str, title: str, turns: Sequence[SavedTurn]
) -> str:
    """Return a conversation in a format of `FORMATS`."""
    if form == "markdown":
        return conversation_markdown(title, turns)
    if form == "html":
        return conversation_html(title, turns)
    return _bundle(conversation, title, turns)


def write_export(text: str, form: str, path: str, option: str = "--out") -> Path:
    """Write an export to a new file, or in the place of an earlier export of the same format.

    Returns the absolute path. Raises `Usage` for anything else that is there.
    """
    target = Path(path).expanduser().absolute()
    mark = FORMATS[form][1].encode()
    known = (lambda file: begins(file).startswith(mark)) if form in FORMATS else never_replace
    write_result(target, text, option, known, f"an earlier export as {form}")
    return target


def _bundle(conversation: str, title: str, turns: Sequence[SavedTurn]) -> str:
    """Return the bundle as indented JSON in ASCII."""
    documents = dict[str, str]()
    for answer in (turn.answer for turn in turns if turn.answer is not None):
        documents |= {p.chunk.document: p.chunk.source for p in answer.passages}
        documents |= {e.document: e.source for claim in answer.claims for e in claim.evidence}
    value = {
        "kind": KIND,
        "schema": SCHEMA,
        "conversation": conversation,
        "title": title,
        "documents": [
            {"document": document, "source": source, "sha256_begins": document}
            for document, source in documents.items()
        ],
        "turns": turn_objects(turns),
    }
    body = json.dumps(value, ensure_ascii=True, allow_nan=False, indent=1)
    return MARK + body.removeprefix(f'{{\n "kind": "{KIND}"') + "\n"


def read_bundle(path: str) -> dict[str, Json]:
    """Return the object of a bundle file. Raises `Usage` for any other file."""
    cure = "give a file that footnote export --format json has written"
    try:
        value = strict_json.parse(regular_files.read_text_file(path, MAX_BUNDLE_BYTES))
    except Unreadable as error:
        raise Usage(f"{path}: {error}", error.cure or cure) from error
    except ValueError as error:
        raise Usage(f"{path} is not JSON: {error}", cure) from error
    if not isinstance(value, dict) or value.get("kind") != KIND:
        raise Usage(f"{path} is no bundle of a conversation", cure)
    if value.get("schema") != SCHEMA or not isinstance(value.get("turns"), list):
        raise Usage(f"{path} is a bundle of a form that this version does not read", cure)
    return value
