"""What counts as a yes. One closed list of words; whatever is not in it, and no known no, is a question for HR.

A photo is opened on the strength of one cell, so nothing here is mended, shortened or guessed: the whole cell has to be
a word that means yes in a language the product reads. `yes?`, `ja, aber` and `oui sauf photo` are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from tasks.roster.signs import visible

Answer = Literal["yes", "no", "withdrawn"]

# fmt: off
YES = frozenset({
    # signs and what programs write for a ticked box
    "✓", "✔", "☑", "✅", "x", "y", "j", "1", "true", "ok", "okay",
    # English
    "yes", "i agree", "yes, i agree", "i consent", "yes, i consent", "i do", "agreed", "agree", "accepted", "accept",
    "i accept", "yes, i accept", "consented", "consent given", "consent granted", "given", "granted", "allowed",
    "permitted", "opt in", "opt-in", "opted in", "opted-in", "signed",
    # German
    "ja", "wahr", "einverstanden", "ja, einverstanden", "ich bin einverstanden", "ja, ich bin einverstanden",
    "ich stimme zu", "ja, ich stimme zu", "ich willige ein", "ja, ich willige ein", "stimme zu", "zugestimmt",
    "eingewilligt", "einwilligung erteilt", "erteilt", "liegt vor", "erlaubt", "unterschrieben",
    # French
    "oui", "vrai", "d'accord", "oui, d'accord", "je suis d'accord", "oui, je suis d'accord", "j'accepte",
    "oui, j'accepte", "je consens", "oui, je consens", "j'autorise", "oui, j'autorise", "accepté", "acceptée",
    "accepte", "accordé", "accordée", "accorde", "autorisé", "autorisée", "consentement donné", "donné", "signé",
    # Spanish
    "sí", "si", "verdadero", "de acuerdo", "sí, de acuerdo", "estoy de acuerdo", "sí, estoy de acuerdo", "acepto",
    "sí, acepto", "si, acepto", "consiento", "sí, consiento", "doy mi consentimiento", "sí, doy mi consentimiento",
    "autorizo", "sí, autorizo", "aceptado", "aceptada", "otorgado", "concedido", "autorizado", "firmado",
})
NO = frozenset({
    "✗", "✘", "❌", "n", "0", "false", "no", "nein", "falsch", "non", "faux", "falso", "none", "not given",
    "not allowed",
    "not agreed", "refused", "denied", "declined", "rejected", "i do not agree", "i don't agree", "i do not consent",
    "i disagree", "disagree", "no, i do not agree", "no consent", "opt out", "opt-out", "opted out", "opted-out",
    "photo only", "real photo", "faithful", "pending", "not yet",
    "verweigert", "abgelehnt", "nicht erteilt", "nicht einverstanden", "ich bin nicht einverstanden",
    "ich stimme nicht zu", "ich willige nicht ein", "keine einwilligung", "liegt nicht vor", "offen", "ausstehend",
    "noch nicht",
    "refusé", "refusée", "refuse", "je refuse", "non accordé", "pas d'accord", "je ne suis pas d'accord",
    "je n'accepte pas", "en attente", "pas encore",
    "rechazado", "rechazada", "denegado", "denegada", "no acepto", "no consiento", "no autorizo", "no estoy de acuerdo",
    "no otorgado", "pendiente", "todavía no", "aún no",
})
WITHDRAWN = frozenset({
    "withdrawn", "consent withdrawn", "revoked", "rescinded",
    "widerrufen", "zurückgezogen", "zurückgenommen", "entzogen", "widerruf",
    "retiré", "retirée", "retire", "révoqué", "révoquée", "rétracté",
    "retirado", "retirada", "revocado", "revocada", "anulado", "anulada",
})
# One letter that is a yes in one language only: `o` is a mark for "not ticked" elsewhere.
_LETTERS = {"o": "fr", "s": "es"}
# A remark with one of these may take a yes back, or bind it to something that we do not do.
_RESERVATIONS = re.compile(
    r"\b(not?|never|only|but|except|unless|without|until|refus\w*|declin\w*|reject\w*|withdr\w*|revok\w*|object\w*|"
    r"cancel\w*|nicht|nein|kein\w*|nie|nur|aber|außer|ausser|ohne|ablehn\w*|abgelehnt|lehnt|verweiger\w*|wider\w*|"
    r"zurück\w*|pas|non|jamais|seulement|uniquement|sauf|mais|sans|retir\w*|révo\w*|oppos\w*|nunca|solo|sólo|"
    r"solamente|únicamente|pero|salvo|excepto|sin|rechaz\w*|deneg\w*|revoc\w*|opon\w*|bis)\b",
    re.IGNORECASE,
)
_NOTHING = frozenset({"", "-", "–", "—", "/", "n/a", "n.a.", "none", "no", "nein", "keine", "nichts", "non", "aucune",
                      "aucun", "néant", "ninguno", "ninguna", "nada", "sin comentarios", "no comment", "no comments"})
# fmt: on


def as_said(text: str) -> str:
    """The cell as its words are compared: small letters, one kind of apostrophe, no full stop behind the last word.

    Nothing else goes: a question mark, a bracket or a further word makes it another answer.
    """
    said = visible(text).casefold().replace("’", "'").replace("`", "'")
    return re.sub(r"(?<=\w)\s?[.!]$", "", said)


def read_answer(text: str, language: str = "") -> Answer | None:
    """What one cell says, or None for empty and for whatever is in no list. `language`: of the column ("fr", "es")."""
    said = as_said(text)
    if said in YES or (language and _LETTERS.get(said) == language):
        return "yes"
    if said in NO:
        return "no"
    return "withdrawn" if said in WITHDRAWN else None


def has_reservation(remark: str) -> bool:
    """Whether a remark beside an answer may take it back: `nur fürs Badge`, `only until June`."""
    return as_said(remark) not in _NOTHING and _RESERVATIONS.search(visible(remark)) is not None


def numbers_are_codes(cells: Iterable[str]) -> bool:
    """Whether a column of answers holds figures beyond 0 and 1: then 1 is a code somebody else knows, and no yes."""
    return any(said.isdigit() and said not in ("0", "1") for said in map(as_said, cells))
