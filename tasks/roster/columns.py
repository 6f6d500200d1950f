"""Which header means which field, in the words of Workday, BambooHR, Personio, ADP and of people.

One table, read top to bottom: where two columns of a file mean the same field, the alias that stands first wins, so
`Preferred Name` beats `Legal Name` and a work address beats a private one. Headers are compared folded: case, accents,
signs and spaces do not count.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# field → aliases, best first. Sources: Workday report columns, BambooHR field names, Personio templates (EN, DE, FR,
# ES), ADP Workforce Now reports, and what people type.
# fmt: off
ALIASES: dict[str, tuple[str, ...]] = {
    "number": (
        "employee id", "employee number", "employee no", "employee #", "employee nr", "emp id", "emp no", "emp #",
        "worker id", "personnel number", "personnel no", "personnel id", "person number", "person id", "staff id",
        "staff number", "associate id", "associate oid", "file number", "file #", "position id", "payroll number",
        "employeeid", "employeenumber", "workerid", "employee code", "id", "no", "number", "#",
        "personalnummer", "personal nr", "pers nr", "persnr", "mitarbeiternummer", "mitarbeiter nr", "mitarbeiter id",
        "ma nr", "nummer", "nr",
        "matricule", "numero d employe", "numero employe", "numero de salarie", "numero du salarie", "id employe",
        "numero d employe e", "id salarie", "numero",
        "numero de empleado", "numero de empleada", "id de empleado", "id empleado", "codigo de empleado",
        "codigo empleado", "n empleado", "legajo",
    ),
    "name": (
        "preferred full name", "preferred name full", "preferred full name in local language", "display name",
        "anzeigename", "nom d affichage", "nombre para mostrar", "full name", "fullname", "employee name", "worker",
        "worker name", "employee", "name", "person", "associate name", "payroll name", "vollstandiger name",
        "vor und nachname", "mitarbeiter", "mitarbeiter in", "mitarbeitername", "nom complet", "nom et prenom",
        "prenom et nom", "employe", "salarie", "nombre completo", "nombre y apellidos", "empleado", "empleada",
        "legal name", "legal full name",
    ),
    "preferred_first": (
        "preferred first name", "preferred name first name", "preferred name", "known as", "nickname", "rufname",
        "bevorzugter name", "bevorzugter vorname", "prenom d usage", "nom prefere", "prenom prefere",
        "nombre preferido", "nombre de uso",
    ),
    "preferred_last": ("preferred last name", "preferred name last name", "nom d usage", "apellido preferido"),
    "first": (
        "first name", "firstname", "given name", "forename", "legal first name", "legal name first name", "vorname",
        "prenom", "nombre", "nombres", "nombre de pila",
    ),
    "last": (
        "last name", "lastname", "surname", "family name", "legal last name", "legal name last name", "nachname",
        "familienname", "nom de famille", "nom", "apellidos", "apellido", "primer apellido",
    ),
    "email": (
        "work email", "email primary work", "primary work email", "work e mail", "work email address",
        "business email", "company email", "email work", "work contact work email", "email", "e mail",
        "email address", "e mail address", "mail", "user principal name", "upn", "dienstliche e mail",
        "geschaftliche e mail", "e mail geschaftlich", "e mail dienstlich", "firmen e mail", "e mail adresse",
        "courriel", "courriel professionnel", "e mail professionnel", "email professionnel", "adresse e mail",
        "adresse electronique", "adresse mail", "mel", "correo electronico", "correo", "correo electronico de trabajo",
        "correo corporativo", "correo electronico laboral", "email de trabajo", "email corporativo",
    ),
    "department": (
        "department", "dept", "department name", "home department", "home department description", "team",
        "supervisory organization", "supervisory org", "organization", "organisation", "division", "business unit",
        "abteilung", "bereich", "organisationseinheit", "departement", "service", "equipe", "departamento", "area",
        "equipo", "cost center", "cost centre", "kostenstelle", "centre de cout", "centro de coste",
    ),
    "location": (
        "location", "work location", "office", "office location", "site", "location name", "primary location", "city",
        "workplace", "standort", "arbeitsort", "buro", "niederlassung", "dienstort", "lieu de travail",
        "site de travail", "bureau", "etablissement", "ville", "ubicacion", "lugar de trabajo", "centro de trabajo",
        "oficina", "sede", "ciudad",
    ),
    "title": (
        "job title", "business title", "position title", "position", "title", "role", "job title description",
        "job profile", "job", "stelle", "stellenbezeichnung", "jobtitel", "berufsbezeichnung", "funktion",
        "intitule du poste", "intitule de poste", "poste", "fonction", "titre", "puesto", "puesto de trabajo", "cargo",
        "titulo del puesto",
    ),
    "status": (
        "status", "employment status", "employee status", "worker status", "active status", "worker active", "active",
        "position status", "state", "beschaftigungsstatus", "mitarbeiterstatus", "aktiv", "statut", "statut d emploi",
        "actif", "estado", "estado laboral", "estado del empleado", "situacion", "activo",
    ),
    "last_day": (
        "last day of work", "termination date", "leave date", "end date", "contract end date", "austrittsdatum",
        "letzter arbeitstag", "austritt", "date de depart", "date de sortie", "fecha de baja", "fecha de salida",
    ),
    "wardrobe": (
        "wardrobe", "wardrobe choice", "outfit", "clothes", "clothing", "attire", "kleidung", "outfit wahl", "tenue",
        "vetements", "vestuario", "ropa",
    ),
    "glasses": ("glasses", "glasses on off", "wear glasses", "brille", "lunettes", "gafas", "lentes"),
    "generation": (
        "headshot generation", "generation", "ai generation", "ai headshot", "generated headshot", "ki generierung",
        "ki portrat", "generation ia", "portrait ia", "generacion ia", "retrato ia",
    ),
    "opt_out": (
        "opt out", "generation opt out", "opt out of generation", "ai opt out", "headshot opt out", "no ai",
        "widerspruch ki", "refus ia", "exclusion ia",
    ),
    "consent": (
        "consent", "headshot consent", "photo consent", "consent given", "consent status", "einwilligung",
        "einwilligung erteilt", "consentement", "consentimiento",
    ),
    "consent_purpose": ("consent purpose", "purpose", "zweck", "finalite", "finalidad", "einwilligung zweck"),
    "consent_version": (
        "consent text version", "consent version", "text version", "version", "einwilligung version", "textversion",
        "version du texte", "version del texto",
    ),
    "consent_date": (
        "consent date", "date of consent", "consent given at", "given at", "given", "signed at", "signed on", "date",
        "einwilligung am", "einwilligung datum", "erteilt am", "datum", "date du consentement", "fecha",
        "fecha de consentimiento",
    ),
    "consent_withdrawn": (
        "consent withdrawn", "withdrawn", "withdrawn at", "withdrawn on", "consent withdrawn at", "revoked",
        "revoked at", "widerrufen", "widerrufen am", "retire", "retire le", "retirado", "retirado el", "revocado",
    ),
}
# fmt: on
PLACES = {alias: (field, place) for field, aliases in ALIASES.items() for place, alias in enumerate(aliases)}
REGISTER_ONLY = frozenset({"version", "date", "given", "datum", "fecha", "withdrawn", "purpose", "retire", "zweck"})
WHO = frozenset({"number", "email", "name", "first", "last"})


def folded(header: str) -> str:
    """`E-Mail (geschäftlich)` → `e mail geschaftlich`."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", header) if not unicodedata.combining(c))
    words = re.sub(r"[^\w#]+", " ", plain.casefold().replace("ß", "ss")).replace("_", " ").split()
    if len(words) > 1 and words[0] == "n" and words[1] in {"de", "d"}:
        words[0] = "numero"
    return " ".join(words)


def meaning(header: str) -> tuple[str, int] | None:
    """The field a header means and how good an alias it is (0 is best), or None."""
    words = folded(header)
    # `n°` folds to `no` by NFKD; `employeeId` and `EmployeeID` have no space to fold.
    return PLACES.get(words) or PLACES.get(folded(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)))


def header_score(row: list[str]) -> int:
    """How many different fields a row would name; 0 when nobody could be told by it."""
    fields = {found[0] for cell in row if (found := meaning(cell))}
    return len(fields) if fields & WHO else 0


@dataclass(frozen=True)
class Columns:
    """Where each field stands. `headers[i]` is what HR wrote over column i."""

    place: dict[str, int]
    headers: tuple[str, ...]

    def cell(self, row: list[str], field: str) -> str:
        at = self.place.get(field)
        return row[at] if at is not None and at < len(row) else ""

    def header(self, field: str) -> str:
        at = self.place.get(field)
        return self.headers[at] if at is not None else ""

    @property
    def unused(self) -> tuple[str, ...]:
        used = set(self.place.values())
        return tuple(header for i, header in enumerate(self.headers) if header and i not in used)


def map_columns(header: list[str], *, register: bool = False) -> Columns:
    """Best alias wins. Words that only make sense in a consent register (`Date`) mean nothing in a roster."""
    best: dict[str, tuple[int, int]] = {}
    for column, text in enumerate(header):
        found = meaning(text)
        if found is None or (not register and folded(text) in REGISTER_ONLY):
            continue
        field, rank = found
        if field not in best or rank < best[field][0]:
            best[field] = (rank, column)
    return Columns({field: best[field][1] for field in ALIASES if field in best}, tuple(header))


def find_header(rows: list[list[str]], within: int = 30) -> int | None:
    """Index of the header row: the one that names most fields, the upper one if two do. Title rows name none."""
    scores = [header_score(row) for row in rows[:within]]
    best = max(scores, default=0)
    return scores.index(best) if best else None
