"""What in the name of a file or a folder is about nobody: cameras' words, copies, dates, counters, and folders that
only say “photos are here”.

A bare number in a file's name is somebody's only when nothing here explains it: phones name pictures by the day, and
cameras count. Words that are also people's names (April, Sam, Best) are left out, or count in small letters only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from tasks.selfies.spelling import Word, words_of


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What cameras, phones and messengers write before a counter or a day.
CAMERA = _words(
    """
    img image images pxl dsc dscn dscf dsci dcim mvimg vid video mov psx gopr gopro imag picture pictures photo
    photos foto fotos bild bilder imagen imagenes screenshot bildschirmfoto captura pantalla whatsapp signal
    telegram received fb wa snapchat facetune scan scanned untitled unbenannt fullsizerender collage burst edited
    bearbeitet heic heif jpg jpeg png cimg mg at
    """
)
# What people write beside a name, and programs behind a copy.
ABOUT = _words(
    """
    selfie selfies headshot headshots portrait portraits portrat portraet retrato retratos passfoto passphoto
    passbild profilbild avatar ausweis mugshot copy kopie copie copia conflict conflicted duplicate version
    linkedin
    """
)
IN_SMALL_LETTERS = _words(
    """
    passport profile profil perfil badge face gesicht frontal front left right links rechts side seite final neu
    new old alt best original nr no hd hq small large gross web team me ich my mein meine mon the of und and for
    fur bitte please here hier by von indoor outdoor office buro home smile cropped crop square beach holiday
    company v n p a las de mi yo ma um with
    """
)
# Beside these a bare number at the end is somebody's number.
LABELS = _words(
    """
    id nr no num number nummer numero employee emp mitarbeiter mitarbeiterin mitarbeiternummer personalnummer
    personal pers persnr personalnr employeeid empid staffid staff worker badge matricule matricula empleado
    legajo personnel
    """
)
OWN = _words(
    """
    selfie headshot portrait portrat portraet retrato passfoto passbild profilbild profile badge
    """
)
# Folders of upload forms and of drives: one of these, or of the words for photos, makes a folder a box ...
BOX_WORDS = _words(
    """
    upload uploads uploaded file files datei dateien fichier fichiers archivo archivos response responses antwort
    antworten dateiantworten reponse reponses respuesta respuestas risposte answers question questions frage fragen
    pregunta preguntas form forms formular formulaire formulario onedrive dropbox sharepoint download downloads
    desktop documents dokumente employees mitarbeitende mitarbeiter collaborateurs empleados personal hr standort
    abteilung department departamento departement intake drop export exports data daten projekte projects batch
    archive zip everybody everyone team teams apps
    """
) | ABOUT | (CAMERA - {"at", "mg", "wa", "fb", "signal"})  # fmt: skip
# ... and these may stand beside it.
_BESIDE = IN_SMALL_LETTERS | _words(
    """
    folder ordner dossier carpeta your ihr ihre dein deine votre vos tu tus su sus send sent gesendet hochladen all
    alle tous todos staff people personen location site service group gruppe groupe grupo part teil shared share
    microsoft google apps camera roll in from aus del la le les los and und et y
    """
)
_ANSWERS = re.compile(
    r"\((?:[^()]*\s)?(?:responses|antworten|dateiantworten|réponses|reponses|respuestas|risposte|respostas)[^()]*\)\s*$",
    re.IGNORECASE,
)
_FORMS = re.compile(r"microsoft forms|google forms", re.IGNORECASE)
_DAY = re.compile(r"(?:19|20)\d\d(?:[-_. ]?\d\d){0,2}")


def is_noise(word: Word) -> bool:
    """Whether a word beside a name says nothing about whose photo it is."""
    small = word.plain in IN_SMALL_LETTERS and word.raw == word.raw.lower()
    return word.is_figures or word.plain in CAMERA or word.plain in ABOUT or small or _is_code(word)


def _is_code(word: Word) -> bool:
    """A piece of a UUID: letters of hexadecimal glued to figures."""
    return word.gap == "" and word.start > 0 and len(word.plain) <= 8 and not set(word.plain) - set("abcdef")


def is_box(folder: str, places: frozenset[str]) -> bool:
    """Whether a folder only says that photos are here: words for photos, forms and drives, days, departments and places
    of this company (`places`: their folded words)."""
    if is_form(folder) or _DAY.fullmatch(folder):
        return True
    words = [word for word in words_of(folder) if not word.is_figures]
    figures = [word.text for word in words_of(folder) if word.is_figures]
    if any(len(text) > 2 and not looks_like_a_year(text) and not is_day_or_counter([text], 0) for text in figures):
        return False  # `Fotos 706` ought to be somebody's
    box = [word.plain in BOX_WORDS or word.plain in places for word in words]
    return any(box) and all(yes or word.plain in _BESIDE for yes, word in zip(box, words, strict=True))


def is_form(folder: str) -> bool:
    """Whether an upload form made this folder: those below it are its questions, whatever they are called."""
    return bool(_ANSWERS.search(folder) or _FORMS.search(folder))


def is_day_or_counter(figures: Sequence[str], at: int, *, spaced: bool = False) -> bool:
    """Whether the group `at` of neighbouring groups of figures is part of a date, a time or a counter: `2025 07 19`,
    `16 04 55`, `4711 0042`. A single small group behind it, as in `1007_2`, counts somebody's photos. `spaced`: the
    small group stands in brackets, as no date does."""
    number, rest = figures[at], [*figures[:at], *figures[at + 1 :]]
    if not rest:
        return len(number) in (8, 14) and _is_day(number[:4], number[4:6], number[6:8])
    if len(rest) > 1 or at > 0 or len(rest[0]) > 2:  # three groups are a day or a time; what stands behind counts
        return True
    small = rest[0]
    year_and_month = looks_like_a_year(number) and len(small) == 2 and 1 <= int(small) <= 12
    two_and_two = len(number) <= 2 and len(small) == 2
    return (year_and_month or two_and_two) and not spaced


def looks_like_a_year(number: str) -> bool:
    return len(number) == 4 and number.isdecimal() and 1900 <= int(number) <= 2099


def _is_day(year: str, month: str, day: str) -> bool:
    try:
        return 1900 <= date(int(year), int(month), int(day)).year <= 2099
    except ValueError:
        return False
