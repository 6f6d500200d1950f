"""Which columns of a consent register hold the answer, its day, and what takes it back.

A register is read more strictly than a roster: a column that might be the answer and is overlooked turns a no into a
yes. So every column is asked what it may be, and where two of them may be the answer, both have to say yes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tasks.roster.answers import read_answer
from tasks.roster.columns import Columns, folded, map_columns, meaning
from tasks.roster.dates import has_clock
from tasks.roster.headers import BARE_NUMBERS

# fmt: off
# Of the exports of Microsoft, Google, LimeSurvey, Typeform, Jotform, SurveyMonkey, Qualtrics: when an answer was sent.
_STAMPS = frozenset({
    "completion time", "timestamp", "submitted at", "submit date utc", "submission date", "submission time",
    "date submitted",
    "recordeddate", "recorded date", "response date",
    "fertigstellungszeit", "abschlusszeit", "zeitstempel", "datum abgeschickt", "abgeschickt am",
    "heure de fin", "horodateur", "date de soumission", "date d envoi", "heure d achevement",
    "hora de finalizacion", "marca temporal", "marca de tiempo", "fecha de envio", "hora de envio",
    "ora di completamento", "informazioni cronologiche", "tijd van voltooien", "tijdstempel", "voltooiingstijd",
    "hora de conclusao", "carimbo de data hora", "data de envio", "godzina ukonczenia", "sygnatura czasowa",
})
_STARTS = frozenset({
    "start time", "startzeit", "start date utc", "date started", "heure de debut", "hora de inicio", "ora di inizio",
    "begintijd", "hora de comeco", "godzina rozpoczecia", "last modified time", "uhrzeit der letzten anderung",
    "heure de la derniere modification", "hora de la ultima modificacion",
    "respondent id", "response id", "responseid", "submission id", "antwort id", "network id", "ip address",
    "ipaddress",
    "collector id", "start language", "seed",
})
# With a time of day in the cells they are a form's; without, the days between which somebody's consent holds.
_PERHAPS_STARTS = frozenset({"start date", "startdate", "start", "beginn", "debut", "inicio"})
_PERHAPS_STAMPS = frozenset({"end date", "enddate", "end time", "end", "ende", "fin", "completed", "completed at"})
_STATUSES = frozenset({"status", "statut", "estado"})  # of the consent, or of the person
_ANSWERS = ("consent", "headshot consent", "photo consent", "consent given", "consent status", "answer", "response",
            "decision", "choice", "agreement", "agreed", "permission",
            "einwilligung", "einwilligung erteilt", "einwilligungsstatus", "antwort", "entscheidung", "zustimmung",
            "auswahl", "erlaubnis", "einverstandnis", "einverstanden",
            "consentement", "accord", "reponse", "decision", "choix", "autorisation", "droit a l image",
            "consentimiento", "respuesta", "decision", "eleccion", "autorizacion", "acepta", "conformidad")
_CONSENT_STEMS = ("consent", "agree", "accept", "permission", "permit", "allow", "einwillig", "zustimm",
                  "einverst", "erlaub",
                  "consens", "accord", "accept", "autoris", "consient", "acept", "autoriz", "permit")
_OUR_STEMS = ("consent", "einwillig", "zustimm", "einverst", "consiento")
_PHOTO_STEMS = ("photo", "foto", "headshot", "portrait", "portrat", "portraet", "bild", "image", "imagen", "selfie",
                "retrato", "picture", "gesicht", "visage", "rostro")
_TAKEN_BACK = re.compile(
    r"(?!.*\b(right|recht|belehr|hinweis|info|droit|derecho))"
    r".*\b(withdr\w*|revo[ck]\w*|rescind\w*|cancel\w*|opt out|opted out|objects?|objected|objections?|widerr\w*|"
    r"widerspr\w*|zuruck\w*|entzogen|"
    r"rucknahme|retir\w*|retrait\w*|retract\w*|oppos\w*|oposic\w*|anul\w*|annul\w*|storn\w*|baja del consentimiento)\b")
_RUNS_OUT = re.compile(
    r"\b(valid (until|to|till|through)|expir\w*|gultig bis|ablauf\w*|bis|valable jusqu\w*|valide jusqu\w*|echeance|"
    r"caduc\w*|valido hasta|vence|vencimiento|hasta)\b")
_TURNED = re.compile(  # a question to which "yes" is a refusal, or may be one
    r"\b(not|don t|refuse\w*|object\w*|decline\w*|opt(?! in)|exclude\w*|against|nicht|kein\w*|widersp\w*|ablehn\w*|"
    r"dagegen|pas|"
    r"refus\w*|oppos\w*|contre|rechaz\w*|opon\w*|neg\w*|contra)\b")
_REMARKS = re.compile(
    r"\b(remarks?|comments?|notes?|conditions?|restrictions?|limitations?|bemerkung\w*|kommentar\w*|anmerkung\w*|"
    r"notiz\w*|"
    r"hinweis\w*|einschrankung\w*|bedingung\w*|remarques?|commentaires?|observations?|reserves?|observacion\w*|"
    r"comentarios?|notas?|condicion\w*|restriccion\w*)\b")
_FRENCH = ("consentement", "accord", "autorisation", "reponse", "choix", "statut", "droit")
_SPANISH = ("consentimiento", "acepta", "autoriz", "respuesta", "estado", "conformidad")
# Headers under which the day is the day of agreeing. `Date` alone is that only where nothing else could be the answer.
_DAY_OF_YES = frozenset({
    "consent date", "date of consent", "consent given at", "consent given on", "given at", "given on",
    "signed at", "signed on",
    "date signed", "agreed on", "agreed at", "einwilligung am", "einwilligung datum", "datum der einwilligung",
    "erteilt am",
    "unterschrieben am", "date du consentement", "donne le", "accorde le", "signe le", "date de signature",
    "fecha de consentimiento", "fecha del consentimiento", "otorgado el", "firmado el", "fecha de firma", "given",
})
# fmt: on


@dataclass(frozen=True)
class RegisterColumns:
    """Where a register says what. `answers`: the columns that hold the answer; empty where the day itself is it, or
    where none was found (then nobody consents). `others`: unknown columns, read for nothing but a withdrawal."""

    columns: Columns
    answers: tuple[int, ...]
    remarks: tuple[int, ...]
    taken_back: tuple[int, ...]
    others: tuple[int, ...]
    until: int | None
    day: int | None
    day_is_answer: bool

    def language_of(self, column: int) -> str:
        return language_of(self.columns.headers[column])

    @property
    def unused(self) -> tuple[str, ...]:
        used = {*self.answers, *self.remarks, *self.taken_back, self.until, self.day}
        used |= {c for field, c in self.columns.place.items() if field in _WHO_AND_WHAT}
        return tuple(header for i, header in enumerate(self.columns.headers) if header and i not in used)

    @property
    def mapping(self) -> dict[str, str]:
        """Our field → HR's header, for "how it was read"."""
        named = {field: self.columns.headers[c] for field, c in self.columns.place.items() if field in _WHO_AND_WHAT}
        for field, where in (("consent", self.answers), ("consent_withdrawn", self.taken_back)):
            if where:
                named[field] = ", ".join(self.columns.headers[c] for c in where)
        if self.day is not None:
            named["consent_date"] = self.columns.headers[self.day]
        return named


_WHO_AND_WHAT = ("number", "email", "name", "first", "last", "consent_purpose", "consent_version")


def map_register(header: list[str], rows: Sequence[list[str]], title: str = "") -> RegisterColumns:
    """Reads the header of a register; the `rows` below it tell a form's time stamps from somebody's days. `title`: what
    stands over the table; a list of withdrawals has days that are no yes."""
    words = [folded(text) for text in header]
    timed = frozenset(i for i, _ in enumerate(words) if _is_timed([_cell(row, i) for row in rows]))
    stamps = [i for i, word in enumerate(words) if word in _STAMPS or (word in _PERHAPS_STAMPS and i in timed)]
    starts = [i for i, word in enumerate(words) if word in _STARTS or (word in _PERHAPS_STARTS and i in timed)]
    unknown = [i for i in timed if meaning(header[i]) is None and not _TAKEN_BACK.match(words[i])]
    form = bool(stamps or starts or unknown)
    hidden = {i for i, word in enumerate(words) if form and word in BARE_NUMBERS}
    known = Columns(
        map_columns(["" if i in hidden else text for i, text in enumerate(header)], register=True).place, tuple(header)
    )
    taken_back = tuple(i for i, word in enumerate(words) if _TAKEN_BACK.match(word))
    until = next((i for i, word in enumerate(words) if _is_end(i, word, timed) and i not in taken_back), None)
    spoken = {*taken_back, until, *hidden, *stamps, *starts, *unknown}
    spoken |= {column for field, column in known.place.items() if field in _WHO_AND_WHAT}
    day = known.place.get("consent_date")
    if day is None or day in spoken:
        found = stamps or sorted(unknown)
        day = found[-1] if found else None
    spoken.add(day)
    remarks = {i for i, word in enumerate(words) if _REMARKS.search(word) and i not in spoken}
    free = [i for i, word in enumerate(words) if i not in spoken | remarks and word]
    answers = _answers(words, free)
    remarks |= {i for i in free if words[i] in _STATUSES and i not in answers}
    others = tuple(i for i in free if i not in answers and i not in remarks)
    revoking = _TAKEN_BACK.match(folded(title)) is not None
    undisputed = not revoking and day is not None and not answers and not form and not remarks & set(free)
    silent = not any(_cell(row, i) for row in rows for i in others)
    said = any(read_answer(_cell(row, i)) for row in rows for i in others)
    day_is_answer = undisputed and (silent or (words[day or 0] in _DAY_OF_YES and not said))
    return RegisterColumns(known, answers, tuple(sorted(remarks)), taken_back, others, until, day, day_is_answer)


def _is_timed(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return bool(filled) and all(has_clock(cell) for cell in filled)


def _is_end(column: int, word: str, timed: frozenset[int]) -> bool:
    return _RUNS_OUT.search(word) is not None or (word in _PERHAPS_STAMPS and column not in timed)


def _answers(words: list[str], free: list[int]) -> tuple[int, ...]:
    """The columns that hold the answer. The best kind of header decides; where two are alike, both have to say yes."""
    kinds: tuple[Callable[[str], bool], ...] = (
        names_consent, _ANSWERS.__contains__, _asks, _STATUSES.__contains__,
    )  # fmt: skip
    for kind in kinds:
        found = tuple(i for i in free if kind(words[i]))
        if found:
            return found
    return ()


def names_consent(word: str, *, strictly: bool = False) -> bool:
    """`Einwilligung Foto`, `Headshot consent (yes/no)`: words of consent and of photos, and nothing besides.
    `strictly`, for a roster: `Accord` and `Agreement` may be about wages there."""
    rest = {one for one in word.split() if one not in _FILLERS}
    photo = {one for one in rest if any(one.startswith(stem) for stem in _PHOTO_STEMS)}
    consent = {one for one in rest if any(stem in one for stem in _CONSENT_STEMS)}
    if strictly and not photo and not any(one.startswith(_OUR_STEMS) for one in consent):
        return False
    return bool(consent) and photo | consent == rest and not _TURNED.search(word)


_FILLERS = frozenset(["the", "a", "an", "to", "for", "of", "my", "your", "you", "and", "is", "was", "use",
                      "using", "yes", "no", "y", "n", "ja", "nein", "j", "o", "oui", "non", "si", "s", "zur",
                      "zum", "fur", "der", "die", "das", "des", "in", "und", "ihre", "meine", "given", "status",
                      "erteilt", "vorliegend", "vorhanden", "la", "le", "les", "l", "de", "du", "des", "a", "au",
                      "pour", "d", "mon", "ma", "votre", "et", "el", "al", "para", "su", "mi", "del", "ai", "ki",
                      "ia"])  # fmt: skip


@lru_cache(256)
def language_of(header: str) -> str:
    """Of an answer column's header, for the letters that are a yes in one language only."""
    words = folded(header)
    if any(stem in words for stem in _FRENCH):
        return "fr"
    return "es" if any(stem in words for stem in _SPANISH) else ""


def _asks(word: str) -> bool:
    """A question of a form about photos to which yes can only mean consent."""
    about = any(stem in word for stem in _CONSENT_STEMS) and any(stem in word for stem in _PHOTO_STEMS)
    return about and not _TURNED.search(word)


def _cell(row: list[str], at: int) -> str:
    return row[at] if at < len(row) else ""
