"""Who works at Northwind Instruments, and everything that is wrong with the photos they sent.

Data only: `company.py` turns it into files. Nobody here exists. Each problem names the finding that Rollcall must make.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Looks:
    """What the face must have to fit the person's line; the first identity seed that fits is taken."""

    feminine: bool
    tones: tuple[int, int] = (1, 10)
    styles: tuple[str, ...] = ()
    cover: str = "none"
    glasses: bool | None = None
    hearing_aid: bool = False
    years: tuple[int, int] = (20, 51)
    hair: tuple[str, ...] = ()
    beard: str | None = None


@dataclass(frozen=True)
class StaffMember:
    """One line of the roster. `planted` lists (finding code, how) pairs; `outcome` is ready, few or blocked."""

    number: str
    legal: str
    preferred: str
    department: str
    title: str
    looks: Looks
    photos: int = 8
    status: str = "Active"
    wardrobe: str = ""
    glasses: str = ""
    generation: str = "Yes"
    email: str = ""  # the part before the @ of the company; a whole address stays as it is
    folder: str = ""  # other than the number
    consent: str = "given"  # given, none, withdrawn, other
    planted: tuple[tuple[str, str], ...] = field(default=())
    outcome: str = "ready"
    reason: str = ""

    def address(self) -> str:
        return self.email if "@" in self.email else f"{self.email}@northwind-instruments.example"


def _f(*styles: str, **more: object) -> Looks:
    return Looks(True, styles=styles, **more)  # type: ignore[arg-type]


def _m(*styles: str, **more: object) -> Looks:
    return Looks(False, styles=styles, **more)  # type: ignore[arg-type]


STAFF: tuple[StaffMember, ...] = (
    StaffMember("NW-1001", "Amara Okafor", "", "Executive", "Managing Director",
             _f("coily", "locs", "afro", tones=(7, 10)), photos=9,
             wardrobe="suit", email="amara.okafor"),
    StaffMember("NW-1002", "Sofía Núñez Gil", "", "Engineering", "Head of Optics",
             _f("long wavy", tones=(4, 6), glasses=False, hair=("brown", "dark brown", "black")),
             folder="Sofía Núñez", email="sofia.nunez"),
    StaffMember("NW-1003", "Łukasz Wójcik", "", "Engineering", "Firmware Engineer",
             _m("short", "side parted", tones=(1, 3), glasses=True),
             folder="Łukasz Wójcik", email="lukasz.wojcik", glasses="Keep"),
    StaffMember("NW-1004", "Siobhan O'Connor", "", "Finance", "Controller",
             _f("fringe", "bob", "curly", tones=(1, 3), glasses=False, hair=("ginger", "auburn")),
             email="siobhan.oconnor"),
    StaffMember("NW-1005", "李伟", "", "Operations", "Supply Planner",
             _m("short", "side parted", tones=(2, 4), glasses=True, hair=("black",), beard="none"),
             email="wei.li"),
    StaffMember("NW-1006", "Yasmin Rahmani", "", "Engineering", "Test Engineer",
             _f(cover="hijab", tones=(4, 6), glasses=False),
             email="yasmin.rahmani"),
    StaffMember("NW-1007", "Harpreet Singh Gill", "Harpreet Gill", "Sales", "Regional Manager",
             _m(cover="turban", tones=(5, 7), glasses=False),
             email="harpreet.gill"),
    StaffMember("NW-1008", "Günther Brandstätter", "", "Service", "Calibration Technician",
             _m("balding", "bald", years=(50, 66), tones=(1, 4)), email="guenther.brandstaetter"),
    StaffMember("NW-1009", "Margaret Whitfield", "Maggie Whitfield", "People", "HR Director",
             _f("bob", "short", "fringe", years=(54, 66), tones=(1, 4), hearing_aid=True),
             photos=7, email="maggie.whitfield"),
    StaffMember("NW-1010", "Kwame Mensah", "", "Engineering", "Mechanical Engineer",
             _m("coily", "buzzed", tones=(7, 8), beard="none", glasses=True),
             email="kwame.mensah", planted=(("blurred", "blurred"), ("dark", "dark"))),
    StaffMember("NW-1011", "Chloé Lefèvre", "", "Marketing", "Brand Lead",
             _f("tied", "bob", tones=(2, 4), glasses=False),
             email="chloe.lefevre", planted=(("several_faces", "two people"),)),
    StaffMember("NW-1012", "Tomás Ferreira", "", "Sales", "Account Manager", _m("swept back", "curly", tones=(4, 6)),
             email="tomas.ferreira", planted=(("sunglasses", "sunglasses"), ("small_face", "far away"))),
    StaffMember("NW-1013", "Ingrid Sørensen", "", "Engineering", "Physicist",
             _f("long", tones=(1, 2), glasses=False, hair=("blonde", "dark blonde")),
             email="ingrid.sorensen", planted=(("near_duplicate", "sent twice"),)),
    StaffMember("NW-1014", "Dmytro Kovalenko", "", "IT", "Systems Administrator",
             _m("buzzed", "bald", tones=(2, 5), beard="goatee", glasses=False),
             email="dmytro.kovalenko", planted=(("truncated", "cut off"), ("not_a_picture", "text file"))),
    StaffMember("NW-1015", "Priya Raghunathan", "", "Engineering", "Data Scientist",
             _f("tied", tones=(6, 7), glasses=True),
             email="priya.raghunathan", planted=(("other_person", "a colleague"),)),
    StaffMember("NW-1016", "Noah Abrams", "", "Legal", "Counsel",
             _m("curly", "short", tones=(2, 4), glasses=True, beard="full"),
             email="noah.abrams", planted=(("turned_away", "profile"), ("overexposed", "burnt out"))),
    StaffMember("NW-1017", "Thandiwe Dlamini", "", "Finance", "Payroll Specialist", _f("locs", "afro", tones=(8, 10)),
             photos=3,
             email="thandiwe.dlamini", planted=(("too_few_photos", "three photos"),), outcome="few"),
    StaffMember("NW-1018", "Marek Novák", "", "Operations", "Warehouse Lead", _m("short", tones=(1, 4)), photos=0,
             email="marek.novak", planted=(("no_photos", "empty folder"),), outcome="blocked", reason="no_photos"),
    StaffMember("NW-1019", "Elena Popescu", "", "Marketing", "Copywriter", _f("bob", "fringe", tones=(2, 4)), photos=6,
             consent="none",
             email="elena.popescu", planted=(("no_consent", "never asked"),), outcome="blocked", reason="no_consent"),
    StaffMember("NW-1020", "Jamal Hughes", "", "Sales", "Sales Engineer", _m("locs", "coily", tones=(7, 9)), photos=6,
             consent="withdrawn",
             email="jamal.hughes", planted=(("consent_withdrawn", "taken back"),), outcome="blocked",
             reason="consent_withdrawn"),
    StaffMember("NW-1021", "Hana Sato", "", "Service", "Field Engineer",
             _f("fringe", "short", "bob", tones=(2, 4), hair=("black", "dark brown")), photos=6, consent="other",
             email="hana.sato", planted=(("consent_other_purpose", "door badge only"),), outcome="blocked",
             reason="consent_other_purpose"),
    StaffMember("NW-1022", "Peter Lindqvist", "", "IT", "Support Analyst",
             _m("curly", "short", tones=(1, 3), beard="moustache", glasses=False), photos=6,
             email="peter.lindqvist", planted=(("same_face_two_names", "NW-1023"),), outcome="blocked",
             reason="same_face_two_names"),
    StaffMember("NW-1023", "Per Lindkvist", "", "IT", "Support Analyst",
             _m("curly", "short", tones=(1, 3), beard="moustache", glasses=False), photos=6,
             email="per.lindkvist", planted=(("same_face_two_names", "NW-1022"),), outcome="blocked",
             reason="same_face_two_names"),
    StaffMember("NW-1024", "Olu <b>Adeyemi</b>", "", "Engineering", "Technician",
             _m("coily", "afro", tones=(7, 10), years=(45, 66)),
             email="olu.adeyemi"),
    StaffMember("NW-1025", "Rosa Martínez", "", "Operations", '=HYPERLINK("https://example.org","Buyer")',
             _f("tied", "long", tones=(4, 6), hair=("black", "brown", "dark brown")),
             email="rosa.martinez", planted=(("formula_cell", "Job Title"),)),
    StaffMember("NW-1026", "Aroha Ngata", "", "People", "Recruiter", _f("curly", tones=(4, 7), glasses=False),
             email="aroha.ngata@northwind",
             planted=(("bad_email", "Work Email"),)),
    StaffMember("NW-1027", "Viktor Hellström", "", "Sales", "Sales Director", _m("swept back", tones=(1, 3)), photos=6,
             status="Terminated",
             email="viktor.hellstrom", planted=(("left_company", "Status"),), outcome="blocked",
             reason="left_company"),
    StaffMember("NW-1028", "Fatou Diallo", "", "Legal", "Paralegal", _f("afro", "coily", tones=(8, 10)), photos=6,
             status="On Leave",
             email="fatou.diallo", planted=(("on_leave", "Status"),), outcome="blocked", reason="duplicate_id"),
    StaffMember("NW-1029", "Giorgos Papadakis", "", "Finance", "Treasurer",
             _m("balding", "short", years=(45, 66), tones=(3, 5), beard="moustache"),
             photos=6, generation="No", email="giorgos.papadakis", planted=(("opted_out", "Headshot generation"),)),
    StaffMember("NW-1030", "Emily Zhang", "", "Marketing", "Designer",
             _f("long", "fringe", "bob", tones=(2, 4), glasses=True, hair=("black",)), photos=8, glasses="Off",
             email="emily.zhang"),
)  # fmt: skip

# A second line with a number that is taken, and a folder of somebody whom HR does not know.
DUPLICATE_OF = "NW-1028"
STRANGER_FOLDER = "NW-2044"
STRANGER_LOOKS = _m("short", tones=(3, 5))
