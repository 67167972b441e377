"""The language of a text: English is told at once, others by script or by the library."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rag.text.language import LANGUAGE_NAMES, language_name, language_of

PASSAGES = {
    "de": "Der Hausmeister leert die Mülltonnen jeden Montag und schließt abends das Tor ab.",
    "fr": "Le gardien vide les poubelles tous les lundis et ferme la grille le soir.",
    "es": "El conserje vacía los cubos de basura todos los lunes y cierra la verja por la noche.",
    "it": "Il custode svuota i bidoni ogni lunedì e chiude il cancello la sera.",
    "pt": "O zelador esvazia as lixeiras todas as segundas-feiras e fecha o portão à noite.",
    "nl": "De conciërge leegt elke maandag de vuilnisbakken en sluit 's avonds het hek.",
    "pl": "Dozorca opróżnia kosze w każdy poniedziałek i wieczorem zamyka bramę.",
    "sv": "Vaktmästaren tömmer soptunnorna varje måndag och låser grinden på kvällen.",
    "fi": "Talonmies tyhjentää roskakorit joka maanantai ja sulkee portin illalla.",
    "tr": "Kapıcı her pazartesi çöp kutularını boşaltır ve akşamları bahçe kapısını kapatır.",
    "hu": "A gondnok minden hétfőn kiüríti a kukákat, és este bezárja a kaput.",
    "cs": "Správce každé pondělí vyprázdní popelnice a večer zamkne bránu.",
    "vi": "Người quản lý đổ rác vào mỗi thứ hai và khóa cổng vào buổi tối.",
    "ru": "Дворник каждый понедельник опорожняет мусорные баки и вечером запирает ворота.",
    "uk": "Двірник щопонеділка спорожнює смітники й увечері зачиняє ворота.",
    "el": "Ο θυρωρός αδειάζει τους κάδους κάθε Δευτέρα και κλείνει την πύλη το βράδυ.",
    "ar": "يفرغ البواب صناديق القمامة كل يوم اثنين ويغلق البوابة في المساء.",
    "fa": "سرایدار هر دوشنبه سطل‌های زباله را خالی می‌کند و شب در را می‌بندد.",
    "he": "השוער מרוקן את הפחים בכל יום שני ונועל את השער בערב.",
    "hi": "चौकीदार हर सोमवार को कूड़ेदान खाली करता है और शाम को फाटक बंद करता है।",
    "zh": "管理员每周一清空垃圾桶，晚上锁上大门。",
    "ja": "管理人は毎週月曜日にごみ箱を空にし、夜に門を閉める。",
    "ko": "관리인은 매주 월요일에 쓰레기통을 비우고 저녁에 문을 잠근다.",
    "th": "ภารโรงเทถังขยะทุกวันจันทร์และล็อคประตูในตอนเย็น",
    "ka": "დარაჯი ყოველ ორშაბათს ცლის ნაგვის ურნებს და საღამოს კეტავს ჭიშკარს.",
}
QUESTIONS = {
    "de": "Wann wird das Tor abgeschlossen?",
    "fr": "Quand le gardien vide-t-il les poubelles ?",
    "es": "¿Cuándo se cierra la verja?",
    "it": "Quando viene chiuso il cancello?",
    "pl": "Kiedy dozorca zamyka bramę?",
    "ru": "Когда запирают ворота?",
    "zh": "大门几点锁？",
    "ja": "門はいつ閉まりますか",
    "ko": "문은 언제 잠그나요?",
    "ar": "متى تغلق البوابة؟",
}
ENGLISH = [
    "The caretaker empties the bins every Monday and locks the gate in the evening.",
    "He met José María García in Saint-Étienne, then took the ferry to the Île de Ré with him.",
    'She signed her letters with "mit freundlichen Grüßen", which made the whole office laugh.',
    "The word 自由 was painted on the wall of the school, and nobody knew who had written it.",
]
NEITHER = [
    "",
    "1,204.50 870.00 12/05/2021",
    "Müller; Schmidt; Weiß; Größe; Köln; München; Straße",
    "Rio de Janeiro; São Paulo; Belo Horizonte",
    "def lese(datei): return open(datei).read_text(encoding='utf-8')",
    "λ = 2π/k, α + β = γ",
    "Total: 12\nRent: 870\nDeposit: 1740",
    "os.path.join(a, b)\nos.rename(a, b)\nos.walk(top)\nos.chmod(path, mode)",
]


@pytest.mark.parametrize(("code", "text"), PASSAGES.items())
def test_a_sentence_in_another_language_is_told(code: str, text: str) -> None:
    assert language_of(text) == code


@pytest.mark.parametrize(("code", "text"), QUESTIONS.items())
def test_a_question_in_another_language_is_told(code: str, text: str) -> None:
    assert language_of(text, question=True) == code


@pytest.mark.parametrize("text", ENGLISH)
def test_names_and_quotations_do_not_change_the_language_of_an_english_text(text: str) -> None:
    assert language_of(text) == "en"


@pytest.mark.parametrize("text", NEITHER)
def test_names_numbers_and_code_are_of_no_language(text: str) -> None:
    assert language_of(text) == ""


@pytest.mark.parametrize("question", ["Who is Jürgen Weiß?", "What does Größe mean?", "Rent?"])
def test_a_short_english_question_is_not_foreign(question: str) -> None:
    assert language_of(question, question=True) in ("en", "")


def test_every_language_has_a_name() -> None:
    assert language_name("de") == "German"
    assert language_name("xx") == "another language"
    assert len(set(LANGUAGE_NAMES)) == len(LANGUAGE_NAMES)


def test_english_does_not_load_the_library() -> None:
    code = (
        "import sys; from rag.text.language import language_of; "
        f"assert [language_of(t) for t in {ENGLISH[:2]!r}] == ['en', 'en']; "
        "assert language_of('When does the gate close?', True) == 'en'; "
        "assert 'py3langid' not in sys.modules and 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
