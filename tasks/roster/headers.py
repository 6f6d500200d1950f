"""What systems and people write over the columns of a roster or register: one table, field by field, best alias first.

Where two columns of a file mean the same field, the alias that stands first wins: `Preferred Name` beats `Legal Name`,
and a work address beats a private one. Everything here is folded (columns.folded): no case, accents or signs.
"""

from __future__ import annotations

# field → aliases, best first. Sources: Workday report columns, BambooHR field names, Personio templates (EN, DE, FR,
# ES), ADP Workforce Now reports, and what people type.
# fmt: off
ALIASES: dict[str, tuple[str, ...]] = {
    "number": (
        "employee id", "employee number", "employee no", "employee #", "employee nr", "emp id", "emp no", "emp #",
        "worker id", "personnel number", "personnel no", "personnel id", "person number", "person id", "staff id",
        "staff number", "associate id", "associate oid", "file number", "file #", "position id", "payroll number",
        "employeeid", "employeenumber", "workerid", "employee code",
        "personalnummer", "personal nr", "pers nr", "persnr", "mitarbeiternummer", "mitarbeiter nr", "mitarbeiter id",
        "ma nr",
        "matricule", "numero d employe", "numero employe", "numero de salarie", "numero du salarie", "id employe",
        "numero d employe e", "id salarie",
        "numero de empleado", "numero de empleada", "id de empleado", "id empleado", "codigo de empleado",
        "codigo empleado", "n empleado", "legajo",
        # What might be a system's own count of lines: the number only where no column above is there.
        "number", "nummer", "numero", "id", "no", "nr", "#", "n",
    ),
    "name": (
        "preferred full name", "preferred name full", "preferred full name in local language", "display name",
        "anzeigename", "nom d affichage", "nombre para mostrar", "full name", "fullname", "employee name", "worker",
        "worker name", "employee", "name", "person", "associate name", "payroll name", "vollstandiger name",
        "mitarbeiter", "mitarbeiter in", "mitarbeitername", "nom complet",
        "employe", "salarie", "nombre completo", "empleado", "empleada",
        "legal name", "legal full name",
    ),
    # One column for both names: read in the order that its header says.
    "last_first": (
        "last name first name", "last first", "last name first", "name last first", "employee name last first",
        "surname first name",
        "last name first name middle name", "family name given name", "name vorname", "nachname vorname",
        "familienname vorname",
        "name und vorname", "nachname und vorname", "nom prenom", "nom et prenom", "nom prenoms",
        "nom de famille prenom", "nom de famille et prenom",
        "apellidos y nombre", "apellidos nombre", "apellido y nombre", "apellidos y nombres", "apellido nombre",
        "apellidos nombres",
    ),
    "first_last": (
        "first name last name", "first last", "first and last name", "first name and last name",
        "name first last", "given name family name",
        "vor und nachname", "vorname nachname", "vorname und nachname", "vorname name", "prenom nom",
        "prenom et nom", "prenom et nom de famille",
        "nombre y apellidos", "nombre apellidos", "nombres y apellidos", "nombre y apellido",
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
        "site de travail",
        "bureau", "etablissement", "ville", "ubicacion", "lugar de trabajo", "centro de trabajo", "oficina", "sede",
        "ciudad",
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
    # A column that says yes or no, turned the other way round.
    "gone": (
        "terminated", "is terminated", "left company", "has left", "is inactive", "leaver", "archived",
        "is archived", "ausgeschieden",
        "inaktiv", "inactif", "sorti", "inactivo", "dado de baja",
    ),
    "rehire": (
        "rehire date", "date of rehire", "last hire date", "latest hire date", "wiedereintritt",
        "wiedereintrittsdatum", "wiedereinstellung",
        "date de reembauche", "date de reintegration", "fecha de reingreso", "fecha de readmision",
        "fecha de recontratacion",
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
# The last eight of them: beside the columns of an online form they count answers, and are nobody's number.
BARE_NUMBERS = frozenset({"number", "nummer", "numero", "id", "no", "nr", "#", "n"})
