"""Mail: who wrote what and when, what is quoted, what is attached, mailboxes, Outlook's files."""

from __future__ import annotations

import datetime
import email.message
import email.policy
import struct
from pathlib import Path
from typing import Any

import pytest

from rag.domain import Cell, RawDocument, RefusedPart, UnitKind
from rag.errors import Unreadable
from rag.ingest.clean import clean_document
from rag.ingest.load import File, load_file
from tests.support.compound_file import compound_file, properties, text_property

HEAD = b"From: Rolf Emde <rolf@example.org>\nTo: Olga Stein <olga@example.org>\nSubject: Re: fence\nDate: Tue, 10 Sep 2024 10:00:00 +0200\n"


def read(folder: Path, name: str, content: bytes) -> list[RawDocument | RefusedPart]:
    path = folder / name
    path.write_bytes(content)
    return list(load_file(File(str(path), path.name, len(content), 0)))


def one(folder: Path, name: str, content: bytes) -> RawDocument:
    (raw,) = read(folder, name, content)
    assert isinstance(raw, RawDocument)
    return _by_rules(raw)


def _by_rules(raw: RawDocument) -> RawDocument:
    assert raw.ruled
    return raw.ruled


def cells(raw: RawDocument, kind: UnitKind = UnitKind.RECORD) -> list[dict[str, str]]:
    """The cells of each unit of a kind, by the first word of their names."""

    def name(cell: Cell) -> str:
        return cell.header.split(" / ")[0]

    return [
        {name(cell): cell.span.of(raw.text) for cell in unit.cells}
        for unit in raw.units or ()
        if unit.kind is kind
    ]


def path_of(raw: RawDocument, words: str) -> str:
    """The heading path of the section that `words` stand in."""
    document = clean_document(raw, "a.eml")
    at = raw.text.index(words)
    return next(path for span, path in document.headings if span.start <= at < span.end)


def plain(body: str, head: bytes = HEAD) -> bytes:
    return head + b"Content-Type: text/plain; charset=utf-8\n\n" + body.encode()


def mail(**headers: str) -> email.message.EmailMessage:
    message = email.message.EmailMessage(policy=email.policy.default)
    for name, value in headers.items():
        message[name] = value
    return message


# -- headers and attachments --


def test_a_message_with_attachments(tmp_path: Path) -> None:
    message = mail(
        From="Zoë Ann <ann@example.org>",
        To="bo@example.org",
        Date="Tue, 05 Mar 2024 10:00:00 +0100",
        Subject="Die Pümpe",
    )
    message.set_content("The pump is mended.\nSee you on Friday.\n")
    message.add_alternative("<p>The <b>HTML</b> body</p>", subtype="html")
    message.add_attachment("Gate code: 9930\nCellar code: 1204\n", filename="codes.txt")
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="scan.png")
    parts = read(tmp_path, "a.eml", bytes(message))
    document = parts[0]
    assert isinstance(document, RawDocument)
    assert (document.title, document.date) == ("Die Pümpe", "2024-03-05")
    assert document.text.startswith(
        "From: Zoë Ann <ann@example.org>\nTo: bo@example.org\nDate: Tue, 05 Mar 2024"
    )
    assert "Attachment: codes.txt (text/plain)\n" in document.text
    assert "\n\nThe pump is mended.\nSee you on Friday.\n" in document.text
    assert "HTML" not in document.text
    assert isinstance(parts[1], RawDocument) and parts[1].name == "/codes.txt"
    assert parts[1].text.startswith("Gate code: 9930")
    assert isinstance(parts[2], RefusedPart) and parts[2].name == "/scan.png"
    assert "picture" in parts[2].reason


def test_the_headers_are_a_record(tmp_path: Path) -> None:
    found = cells(one(tmp_path, "a.eml", plain("It rains.")))
    assert {
        "From": "Rolf Emde <rolf@example.org>",
        "Date": "Tue, 10 Sep 2024 10:00:00 +0200",
    } in found
    assert {"To": "Olga Stein <olga@example.org>"} in found


@pytest.mark.slow
def test_a_message_in_html_only(tmp_path: Path) -> None:
    message = mail(Subject="News", From="a@example.org")
    message.set_content(
        "<h1>Big</h1><p>The mill <i>burned</i> down.</p><script>x()</script>", subtype="html"
    )
    document = one(tmp_path, "a.eml", bytes(message))
    assert document.text.endswith("\n\nBig\nThe mill burned down.\n") and document.date is None
    assert path_of(document, "The mill") == "a@example.org › Big"


@pytest.mark.slow
def test_the_richer_alternative_is_read_once(tmp_path: Path) -> None:
    message = mail(Subject="Order", From="a@example.org")
    message.set_content("Your order: Bench 349 EUR, Parasol 89 EUR.")
    message.add_alternative(
        "<table><tr><td>Item</td><td>Price</td></tr><tr><td>Bench</td><td>349 EUR</td></tr></table>",
        subtype="html",
    )
    text = one(tmp_path, "a.eml", bytes(message)).text
    assert text.count("349 EUR") == 1 and "Your order" not in text
    message = mail(Subject="Order", From="a@example.org")
    message.set_content("Open this in a browser.")
    message.add_alternative(
        "<p>" + "The harbour opens at nine each day. " * 9 + "</p>", subtype="html"
    )
    assert "The harbour" in one(tmp_path, "b.eml", bytes(message)).text


@pytest.mark.slow
def test_encoded_and_damaged_headers(tmp_path: Path) -> None:
    content = (
        b"From: =?utf-8?q?Zo=C3=AB?= Ann <ann@example.org>\nSubject: =?utf-8?B?U2Now7Zu?=\n"
        b" =?utf-8?q?er_Tag?=\nDate: Friday\n\nThe words."
    )
    document = one(tmp_path, "a.eml", content)
    assert document.title == "Schöner Tag" and "From: Zoë Ann <ann@example.org>" in document.text
    latin = b"From: J\xf6rg <j@example.org>\nSubject: x\n\nThe words."
    assert "From: Jörg <j@example.org>" in one(tmp_path, "b.eml", latin).text


@pytest.mark.parametrize(
    "content",
    [
        b"Subject: =?utf-8?q?broken?\nFrom: @@@<>\nDate: Friday\n\nThe words.",
        b"Subject: x\nContent-Type: text/plain; charset=no-such\n\nThe words.",
        b"Subject: x\nContent-Type: multipart/mixed; boundary=q\n\n--q\n\nThe words.\n",
        b"Subject: x\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\nVGhlIHdvcmRzLg=\n",
        b"Subject: x\r\nContent-Type: text/plain; charset=latin-1\r\n\r\nThe words. \xe9\r\n",
    ],
)
def test_damaged_messages_are_read(tmp_path: Path, content: bytes) -> None:
    assert "The words." in one(tmp_path, "a.eml", content).text


def test_what_is_no_message(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="not an e-mail"):
        read(tmp_path, "a.eml", b"Just some words.\n")
    with pytest.raises(Unreadable, match="not a mailbox"):
        read(tmp_path, "a.mbox", b"Just some words.\n")
    with pytest.raises(Unreadable, match="not an Outlook message"):
        read(tmp_path, "a.msg", b"Just some words.\n" * 100)


def test_lines_that_only_a_window_breaks_are_joined(tmp_path: Path) -> None:
    content = HEAD + (
        b"Content-Type: text/plain; format=flowed\n\n"
        b"The harbour \nopens.\n\n> The gate \n> is red.\n>> It was \n>> blue.\n-- \nRolf\n"
    )
    text = one(tmp_path, "a.eml", content).text
    assert "The harbour opens.\n" in text and "> The gate is red.\n>> It was blue.\n-- \n" in text


def test_encrypted_parts_are_said(tmp_path: Path) -> None:
    content = HEAD + b"Content-Type: multipart/encrypted; boundary=q\n\n--q\n\nx\n--q--\n"
    parts = read(tmp_path, "a.eml", content)
    assert isinstance(parts[1], RefusedPart) and "encrypted" in parts[1].reason


@pytest.mark.slow
def test_an_archive_in_a_mail_is_opened_once(tmp_path: Path) -> None:
    import io
    import zipfile

    def zipped(name: str, content: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(name, content)
        return out.getvalue()

    message = mail(Subject="Papers", From="a@example.org")
    message.set_content("See the papers.")
    inner = zipped("note.txt", b"The mill burned down.")
    message.add_attachment(inner, maintype="application", subtype="zip", filename="p.zip")
    found = [part.name for part in read(tmp_path, "a.eml", bytes(message))]
    assert found == ["", "/p.zip/note.txt"]
    parts = read(tmp_path, "b.zip", zipped("a.eml", bytes(message)))
    assert isinstance(parts[-1], RefusedPart) and parts[-1].name == "/a.eml/p.zip"


# -- whose words --


def test_quoted_history_is_told_from_the_reply(tmp_path: Path) -> None:
    raw = one(
        tmp_path,
        "a.eml",
        plain(
            "It is 2,300 euros now.\n\nOn Mon, 9 Sep 2024, Olga Stein wrote:\n"
            "> It is 1,900 euros. I want to paint it green.\n>> What does it cost?\n"
        ),
    )
    assert path_of(raw, "2,300") == "Rolf Emde, 10 September 2024"
    assert path_of(raw, "paint it green") == "Olga Stein, 9 September 2024 (quoted)"
    assert path_of(raw, "What does") == "Quoted"
    assert {"From": "Olga Stein", "Date": "Mon, 9 Sep 2024"} in cells(raw)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("Am 09.09.2024 um 10:00 schrieb Olga Stein <olga@example.org>:", "Olga Stein, 9 September 2024"),
        ("Le lun. 9 sept. 2024 à 10:00, Olga Stein <o@x.org> a écrit :", "Olga Stein, 9 September 2024"),
        ("On Mon, Sep 9, 2024 at 3:04 PM Olga Stein <o1@x.org> wrote:", "Olga Stein, 9 September 2024"),
        ("On Mon, Sep 9, 2024 at 3:04 PM Olga Stein\n<o1@x.org> wrote:", "Olga Stein, 9 September 2024"),
        ("2024-09-09 10:00 GMT+02:00 Olga Stein <o@x.org>:", "Olga Stein, 9 September 2024"),
        ("Olga Stein <o@x.org> wrote on 9 September 2024:", "Olga Stein, 9 September 2024"),
        ("On Monday, Olga wrote:", "Olga, Monday"),
        ("Olga Stein writes:", "Olga Stein"),
        ("-----Original Message-----\nFrom: Olga Stein\nSent: Monday, September 9, 2024 3:04 PM\nTo: Rolf\nSubject: fence\n", "Olga Stein, 9 September 2024"),
        ("Von: Olga Stein <o@x.org>\nGesendet: Montag, 09.09.2024 10:00\nAn: Rolf\nBetreff: Zaun\n", "Olga Stein, 9 September 2024"),
    ],
)  # fmt: skip
def test_forms_of_attribution(tmp_path: Path, line: str, path: str) -> None:
    quoted = "\n" in line and ("From" in line or "Von" in line)
    text = f"Yes.\n\n{line}\n" + ("" if quoted else "> ") + "It is green.\n"
    raw = one(tmp_path, "a.eml", plain(text))
    assert path_of(raw, "Yes.") == "Rolf Emde, 10 September 2024"
    found = path_of(raw, "It is green.")
    assert found.startswith(path + " (quoted)"), found


def test_an_attribution_within_the_quotation_and_answers_between_its_lines(tmp_path: Path) -> None:
    raw = one(
        tmp_path,
        "a.eml",
        plain(
            "> On Monday, Board wrote:\n> How high?\n\nTwo metres.\n\n> Which colour?\n\nGreen.\n"
        ),
    )
    for words, path in {
        "How high": "Board, Monday (quoted)",
        "Two metres": "Rolf Emde, 10 September 2024",
        "Which colour": "Board, Monday (quoted)",
        "Green.": "Rolf Emde, 10 September 2024",
    }.items():
        assert path_of(raw, words) == path


def test_words_that_are_no_attribution(tmp_path: Path) -> None:
    body = (
        "I met Peter. On Monday, Peter wrote:\n\nThe report is late.\n\nFrom: the office\nWe go.\n"
    )
    raw = one(tmp_path, "a.eml", plain(body))
    assert path_of(raw, "We go.") == "Rolf Emde, 10 September 2024"


def test_forwarded_messages(tmp_path: Path) -> None:
    message = mail(From="Office <office@example.org>", Subject="Fwd: Offer")
    message["Date"] = "Fri, 06 Sep 2024 10:00:00 +0200"
    message.set_content("See below.")
    inner = mail(From="Paul <paul@example.net>", Subject="Offer for the fence")
    inner["Date"] = "Mon, 02 Sep 2024 08:00:00 +0200"
    inner.set_content("I can build it.")
    inner.add_attachment("Plan: long\nWidth: 2 m\n", filename="plan.txt")
    message.add_attachment(inner)
    document, attached = read(tmp_path, "a.eml", bytes(message))
    assert isinstance(document, RawDocument) and attached.name == "/plan.txt"
    path = "Office, 6 September 2024 › Paul, 2 September 2024 (forwarded): Offer for the fence"
    assert path_of(_by_rules(document), "I can build it") == path
    text = (
        "See below.\n\n---------- Forwarded message ---------\nFrom: Paul <paul@example.net>\n"
        "Date: Mon, 2 Sep 2024 at 08:00\nSubject: Offer\nTo: <office@example.org>\n\nI can build it.\n"
    )
    raw = one(tmp_path, "b.eml", plain(text))
    assert path_of(raw, "I can build") == "Paul, 2 September 2024 (forwarded): Offer"


@pytest.mark.slow
def test_quotations_of_html_mails(tmp_path: Path) -> None:
    message = mail(From="Rolf Emde <rolf@example.org>", Subject="Re: fence")
    message["Date"] = "Tue, 10 Sep 2024 10:00:00 +0200"
    message.set_content(
        "<div>It is 2,300 euros now.</div><div class='gmail_quote'><div>On Mon, 9 Sep 2024 at 10:00, "
        "Olga Stein &lt;olga@example.org&gt; wrote:<br></div><blockquote><div>I want to paint it "
        "green.</div><blockquote>What does it cost?</blockquote></blockquote></div><p>Rolf</p>",
        subtype="html",
    )
    raw = one(tmp_path, "a.eml", bytes(message))
    assert path_of(raw, "2,300") == "Rolf Emde, 10 September 2024"
    assert path_of(raw, "paint it green") == "Olga Stein, 9 September 2024 (quoted)"
    assert path_of(raw, "What does it") == "Quoted"
    assert "\ue0f1" not in raw.text
    assert {"From": "Olga Stein <olga@example.org>", "Date": "Mon, 9 Sep 2024 at 10:00"} in cells(
        raw
    )


def test_lists_and_fields_are_found_within_quotations(tmp_path: Path) -> None:
    raw = one(
        tmp_path,
        "a.eml",
        plain("Yes.\n\nOn Mon, 9 Sep 2024, Olga wrote:\n> Bring:\n> - a spade\n> - a rake\n>\n> Gate: 9930\n> Cellar: 1204\n"),
    )  # fmt: skip
    items = [unit.span.of(raw.text) for unit in raw.units or () if unit.kind is UnitKind.ITEM]
    assert items == ["- a spade", "- a rake"]
    assert {"Gate": "9930", "Cellar": "1204"} in cells(raw)


# -- what is added to each mail --


@pytest.mark.parametrize(
    ("body", "masked"),
    [
        ("It rains.\n\n-- \nRolf Emde\nCarpenter\n", ["-- \nRolf Emde\nCarpenter"]),
        ("It rains.\n\nKind regards,\nRolf\n+49 30 1\n", ["Kind regards,\nRolf\n+49 30 1"]),
        ("Es regnet.\n\nMit freundlichen Grüßen\n\nRolf\n", ["Mit freundlichen Grüßen", "Rolf"]),
        ("It rains.\n\nThanks,\nplease bring the red key on Monday.\n", []),
        ("It rains.\n\nBest,\nRolf\n\nPS: The key is under the mat.\n", ["Best,\nRolf"]),
        ("It rains.\n\nSent from my phone\n", ["Sent from my phone"]),
        (
            "It rains.\n\nThis e-mail is confidential. If you are not the\nintended recipient, delete it.\n",
            ["This e-mail is confidential. If you are not the\nintended recipient, delete it."],
        ),
        ("The new salary is confidential: 5,000 euros.\n", []),
        ("Kind regards,\nRolf\n", []),
    ],
)
def test_signatures_and_disclaimers_are_masked(
    tmp_path: Path, body: str, masked: list[str]
) -> None:
    raw = one(tmp_path, "a.eml", plain(body))
    assert [span.of(raw.text) for span in raw.masked] == masked


def test_a_signature_below_the_quotation_is_masked(tmp_path: Path) -> None:
    raw = one(tmp_path, "a.eml", plain("No.\n\n> Does it rain?\n> -- \n> Olga\n\n-- \nRolf\n"))
    assert [span.of(raw.text) for span in raw.masked] == ["> -- \n> Olga", "-- \nRolf"]


# -- mailboxes --


def test_the_messages_of_a_mailbox_are_documents(tmp_path: Path) -> None:
    line = b"From rolf@example.org Tue Sep 10 10:00:00 2024\n"
    second = HEAD.replace(b"10 Sep", b"11 Sep").replace(b"Re: fence", b"Re: a/b")
    content = (
        line + plain("First.\n>From here on it is wet.\nFrom 10:00 to 12:00 we paint.\n") + b"\n"
        + line + plain("Second.\n", second) + b"\n" + line + plain("Third.\n") + b"\n"
        + line + b"no header\n\n"
    )  # fmt: skip
    parts = read(tmp_path, "in.mbox", content)
    assert [part.name for part in parts] == [
        "/2024-09-10 Rolf Emde Re: fence",
        "/2024-09-11 Rolf Emde Re: a b",
        "/2024-09-10 Rolf Emde Re: fence",
        "/message 4",
    ]
    first = parts[0]
    assert isinstance(first, RawDocument) and first.date == "2024-09-10"
    assert "\nFrom here on it is wet.\nFrom 10:00 to 12:00 we paint.\n" in first.text
    assert isinstance(parts[3], RefusedPart) and "not an e-mail" in parts[3].reason


# -- Outlook --


def _when(day: int) -> bytes:
    moment = datetime.datetime(2024, 9, day, 8, tzinfo=datetime.UTC)
    return struct.pack("<Q", int((moment.timestamp() + 11_644_473_600) * 10**7))


def outlook(name: str, day: int, body: str, prefix: int = 32, **more: Any) -> dict[str, Any]:
    return {
        **text_property(0x0037, f"Mail of {name}"),
        **text_property(0x0C1A, name),
        **text_property(0x5D01, f"{name.lower()}@example.org"),
        **text_property(0x1000, body),
        **properties(prefix, {(0x0039, 0x0040): _when(day)}),
        **more,
    }


def test_an_outlook_message(tmp_path: Path) -> None:
    recipient = {
        **text_property(0x3001, "Olga Stein"),
        **text_property(0x39FE, "olga@example.org"),
        **properties(8, {(0x0C15, 0x0003): struct.pack("<Q", 1)}),
    }
    attached = {
        **text_property(0x3707, "codes.txt"),
        "__substg1.0_37010102": b"Gate code: 9930\n" * 400,
    }
    inner = {"__substg1.0_3701000D": outlook("Paul", 2, "I can build it.\r\n", prefix=24)}
    tree = outlook(
        "Zoë",
        6,
        "See below.\r\n\r\n-- \r\nZoë\r\n",
        32,
        **{
            "__recip_version1.0_#00000000": recipient,
            "__attach_version1.0_#00000000": attached,
            "__attach_version1.0_#00000001": {**inner, **properties(8, {})},
        },
    )
    document, codes = read(tmp_path, "a.msg", compound_file(tree))
    assert isinstance(document, RawDocument) and isinstance(codes, RawDocument)
    assert (document.title, document.date) == ("Mail of Zoë", "2024-09-06")
    assert document.text.startswith(
        "From: Zoë <zoë@example.org>\nTo: Olga Stein <olga@example.org>\n"
        "Date: Fri, 06 Sep 2024 08:00:00 +0000\nSubject: Mail of Zoë\nAttachment: codes.txt\n"
    )
    path = "Zoë, 6 September 2024 › Paul, 2 September 2024 (forwarded): Mail of Paul"
    assert path_of(_by_rules(document), "I can build it.") == path
    assert [span.of(document.text) for span in _by_rules(document).masked] == ["-- \nZoë"]
    assert codes.name == "/codes.txt" and codes.text.startswith("Gate code: 9930")


def test_damaged_outlook_messages(tmp_path: Path) -> None:
    whole = compound_file(outlook("Paul", 2, "I can build it." * 400))
    for number, content in enumerate(
        [whole[:600], whole[:-600], whole[:512] + b"\xff" * len(whole), compound_file({"x": b"y"})]
    ):
        try:
            parts = read(tmp_path, f"{number}.msg", content)
        except Unreadable as error:
            assert error.cure
        else:
            assert any(isinstance(part, RawDocument) for part in parts)
