"""The words of a status column, in four languages: who works here, who is away, who has left, and what leaves it open.

Folded (columns.folded). A pattern ends in `*` where its word goes on (`terminat*`); a phrase is a phrase. Sources: the
documented states of Workday, BambooHR, Personio, ADP, SAP, SuccessFactors, PeopleSoft, Oracle, UKG, HiBob, and people.
"""

from __future__ import annotations

from tasks.roster.rows import Status

# fmt: off
# Whole cells that are codes. PeopleSoft: A L P S T R D Q U V W X; ADP: A L T D I; Workday and directories: 1, 0, true.
CODES: dict[Status, tuple[str, ...]] = {
    "active": ("a", "yes", "y", "true", "1", "ja", "j", "wahr", "oui", "o", "vrai", "si", "verdadero", "x"),
    "leave": ("l", "p", "w"),
    "left": ("t", "r", "d", "q", "u", "v", "i", "no", "n", "false", "0", "nein", "falsch", "non", "faux", "falso"),
}
# SAP's STAT2 (employment status of a person), told by the 3 in its column: 1 is not at work, 2 is pensioned, 0 gone.
SAP_CODES: dict[str, Status] = {"3": "active", "1": "leave", "2": "left", "0": "left"}

LEFT = (
    "terminat*", "inactive", "left", "leaver*", "leaving", "former*", "resign*", "retire", "retired", "retiree*",
    "retirement",
    "deceased", "died", "dead", "dismiss*", "offboard*", "exited", "exit", "laid off", "layoff", "redundan*",
    "separat*",
    "withdrawn", "quit", "fired", "discharged", "departed", "no longer", "ex", "archived", "deleted", "ended",
    "not employed",
    "not active", "non active", "unemployed", "job abandonment",
    "ausgeschieden*", "ausgetreten*", "ausscheiden", "austritt*", "gekundigt*", "kundigung*", "entlass*",
    "ehemalig*", "inaktiv*",
    "verlassen", "pensionar*", "pensioniert*", "rentner*", "rente", "ruhestand*", "berentet", "verstorben*",
    "beendet*", "beendigt",
    "vertragsende", "aufhebung*", "aufgehoben", "geloscht", "nicht aktiv", "nicht mehr", "abgang", "passiv",
    "parti", "partie", "partis", "sorti", "sortie", "sortis", "licenci*", "demission*", "retraite*", "decede*",
    "ancien*",
    "inactif*", "inactive*", "quitte", "a quitte", "rupture*", "fin de contrat", "radie*", "termine*",
    "non actif", "pas actif",
    "plus actif", "n est plus", "depart", "depart definitif", "fin de mission",
    "baja", "cesad*", "cese", "cesante", "despedid*", "despido", "dimitid*", "dimision", "jubilad*", "jubilacion",
    "fallecid*",
    "inactiv*", "finiquit*", "finalizad*", "extinguid*", "extincion", "renuncia*", "no activo", "no activa", "ya no",
    "desvinculad*", "fin de contrato", "prejubilad*",
)
AWAY = (
    "leave", "on leave", "loa", "absence", "absent*", "away", "sabbatical", "maternity", "paternity", "parental",
    "sick", "sickness",
    "illness", "disability", "furlough*", "fmla", "military", "garden leave", "gardening leave",
    "short work break", "vacation",
    "elternzeit*", "mutterschutz*", "karenz*", "beurlaub*", "abwesend*", "abwesenheit*", "freigestellt*",
    "freistellung*", "krank*",
    "langzeitkrank*", "sabbatjahr", "pflegezeit*", "ruhend*", "ruht", "urlaub*", "unbezahlt*", "passivphase",
    "freistellungsphase",
    "auszeit*", "wehrdienst", "bundesfreiwilligendienst", "arbeitsunfahig*", "erziehungsurlaub",
    "conge*", "arret*", "maladie", "maternite", "paternite", "absence*", "disponibilite", "suspension de contrat",
    "vacances",
    "excedencia*", "permiso", "baja medica", "de baja", "baja maternal", "baja paternal", "baja por maternidad",
    "baja temporal",
    "baja por paternidad", "baja por enfermedad", "baja laboral", "baja it", "baja por it", "baja parental",
    "baja por accidente",
    "baja por nacimiento", "incapacidad*", "licencia*", "ausente*", "ausencia*", "maternidad", "paternidad",
    "lactancia", "it",
    "vacaciones",
)
ACTIVE = (
    "active", "activ", "employed", "current", "working", "in service", "present", "enabled", "at work",
    "onboarded", "hired", "live",
    "aktiv", "aktive", "aktiver", "beschaftigt*", "angestellt*", "im dienst", "tatig",
    "actif", "active e", "active", "actifs", "en poste", "present", "presente", "en activite",
    "activo", "activa", "en activo", "alta", "de alta", "en alta", "contratado", "contratada", "trabajando",
)
# Kinds of employment: whoever has one works here, unless another word says otherwise.
EMPLOYED = (
    "regular", "permanent", "full time", "fulltime", "part time", "parttime", "new hire", "onboarding",
    "pre hire", "probation*", "trial period",
    "contractor", "contract", "consultant", "freelance*", "temp", "temporary", "intern", "internship",
    "apprentice", "trainee", "seasonal", "casual",
    "salaried", "hourly", "exempt", "non exempt", "fixed term", "fixed", "worker", "staff", "ft", "pt",
    "vollzeit*", "teilzeit*", "probezeit", "befristet*", "unbefristet*", "festangestellt*", "werkstudent*",
    "praktikant*", "praktikum",
    "auszubildende*", "azubi", "minijob*", "aushilfe", "geringfugig*", "duales studium", "dual student",
    "midijob", "in probezeit",
    "cdi", "cdd", "temps plein", "temps partiel", "periode d essai", "alternant*", "alternance", "apprenti*",
    "stagiaire", "stage", "interim*",
    "titulaire", "contractuel*", "temps complet", "salarie", "salariee", "employe", "employee", "mitarbeiter*",
    "empleado", "empleada",
    "indefinid*", "temporal", "tiempo completo", "tiempo parcial", "jornada completa", "jornada parcial",
    "media jornada", "periodo de prueba",
    "en practicas", "becari*", "eventual", "fijo", "fija", "interin*", "fijo discontinuo", "en prueba",
)
# A doubt, a wish, a plan: the person waits.
OPEN = (
    "suspend*", "suspension", "on hold", "hold", "blocked", "locked", "disabled", "deactivat*", "pending",
    "planned", "scheduled",
    "upcoming", "notice", "notice period", "unknown", "unclear", "tbd", "tbc", "tba", "to be confirmed",
    "probably", "perhaps", "maybe", "check",
    "review", "draft", "invited", "not started", "future",
    "suspendier*", "gesperrt", "deaktiviert", "geplant", "vorgesehen", "kundigungsfrist", "unbekannt", "unklar",
    "vielleicht", "evtl",
    "eventuell", "vermutlich", "wohl", "prufen", "zu klaren", "fraglich",
    "suspendu*", "bloque*", "desactive*", "prevu*", "preavis", "inconnu*", "peut etre", "a verifier",
    "a confirmer", "mis a pied",
    "suspendid*", "bloquead*", "desactivad*", "previst*", "preaviso", "desconocid*", "quizas", "tal vez",
    "por confirmar", "pendiente",
)
# "not", "no longer": what follows is not what it says.
NOT = ("not", "non", "never", "nicht", "kein*", "pas", "plus", "no", "nunca", "jamais", "un")
# "no longer" and its like make a word of working one of leaving.
FORMERLY = ("no longer", "former*", "ex", "nicht mehr", "ehemalig*", "n est plus", "ancien*", "ya no", "anterior")
# "until": the state ends with the day behind it. The second kind only where a figure follows.
UNTIL = ("until", "till", "thru", "ends", "ending", "bis", "endet", "jusqu au", "jusqu", "jusque", "hasta", "termina")
UNTIL_DAY = ("to", "end", "ende", "au", "fin", "al")
# fmt: on
