"""Whose photo is it? By folder, file name or manifest; by number, address or name; and nobody's when in doubt."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasks.roster.rows import RosterRow
from tasks.selfies.match import Matching, match_photos
from tasks.selfies.picks import BY_FILE, NOBODYS


def person(number: str, name: str, email: str = "", department: str = "", location: str = "") -> RosterRow:
    return RosterRow(number, name, email, department, "", "active", None, "keep", True, None, 0, location)


PEOPLE = [
    person("007", "José Núñez Gil", "jose@acme.example"),
    person("7", "Anna Müller", "anna.mueller@acme.example"),
    person("1001", "Zoë Lefèvre", "zoe@acme.example", "Sales"),
    person("1002", "Sam Lee", "sam.lee@acme.example"),
    person("1003", "Sam Lee", "sam.lee2@acme.example"),
    person("E-12", "Jörg Weiß"),
    person("2025", "Petra Novotná", "petra.novotna@acme.example"),
    person("4711", "Marek Dvořák", "marek.dvorak@acme.example"),
    person("4802", "Kateryna Bondarenko", "kateryna.bondarenko@acme.example"),
    person("16", "Jo Bell", "jo@acme.example"),
    person("H-21", "Jonas Huber", "", "Sales", "Graz"),
    person("H-22", "Nadia Benali", "", "Vertrieb"),
    person("0706", "Ayla Demir"),
    person("3001", "Siobhan O'Connor", "s.oconnor@acme.example"),
    person("3002", "Anne-Marie Duval"),
    person("3003", "Jip van den Heuvel"),
    person("3004", "María José García López"),
    person("3005", "Ólafur Þór Jónsson"),
    person("51", "박서연"),
    person("52", "佐藤 花子"),
    person("53", "Wulandari"),
    person("54", "さがわ はな"),
    person("55", "さかわ はな"),
    person("61", "Maria Santos"),
    person("71", "Jan Kowalski", "", "Sales", "Berlin"),
    person("72", "Jan Kowalski", "", "Technik", "Graz"),
    person("000 058", "Ota Kral"),
]


def owner(path: str) -> str | None:
    """Whose it is; "?" when it fits several people; None when nobody's."""
    matching = match_photos([path], PEOPLE)
    return next(iter(matching.by_number), "?" if matching.ambiguous else None)


def candidates(matching: Matching) -> tuple[str, ...]:
    return matching.strays[0].candidates


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("selfies/007/IMG_0001.HEIC", "007"),
        ("7/a.jpg", "7"),
        ("selfies/1001_Zoe/a.jpg", "1001"),
        ("1001 (2).jpg", "1001"),
        ("1001_2.jpg", "1001"),
        ("photos/1001-IMG_9.jpeg", "1001"),
        ("1001_selfie.jpg", "1001"),
        ("1001 - Copy/2025-11-08 18.05.33.jpg", "1001"),
        ("zoe@acme.example/a.jpg", "1001"),
        ("sam.lee2@acme.example_1.jpg", "1003"),
        ("Jose Nunez/x.png", "007"),
        ("Núñez, José/x.png", "007"),
        ("Núñez Gil,José/x.png", "007"),
        ("Mueller Anna 3.jpg", "7"),
        ("anna muller.jpg", "7"),
        ("E-12.jpg", "E-12"),
        ("e 12.jpg", "E-12"),
        ("E\u00ad-12\u200e/a.jpg", "E-12"),
        ("１００１/a.jpg", "1001"),
        ("000058/a.jpg", "000 058"),
        ("Joerg_Weiss_2.jpg", "E-12"),
        ("Sales/1001/day two/a.jpg", "1001"),
        ("sam.lee2/a.jpg", "1003"),
        ("zoe/a.jpg", "1001"),
        ("Sales/1001_a.jpg", "1001"),
        ("zoe_2.jpg", "1001"),
        ("nunez gil jose.jpg", "007"),
        ("Dr. Anna Müller/a.jpg", "7"),
        ("2025_selfie.jpg", "2025"),
        ("2025 (2).jpg", "2025"),
    ],
)
def test_a_photo_finds_its_person(path: str, number: str) -> None:
    assert dict(match_photos([path], PEOPLE).by_number) == {number: (path,)}
    apart = unicodedata.normalize("NFD", path)  # as every Mac writes it
    assert dict(match_photos([apart], PEOPLE).by_number) == {number: (apart,)}


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("PXL_20260214_101502 - Jonas Huber.jpg", "H-21"),
        ("IMG_4711 - Nadia Benali.jpg", "H-22"),
        ("2025-07-19 16.04.55 - Jonas Huber.jpg", "H-21"),
        ("me at the beach - Jonas Huber.heic", "H-21"),
        ("Selfie_Nadia Benali.jpg", "H-22"),
        ("my dog_Nadia Benali 1.jpg", "H-22"),
        ("Headshots 2026 (File responses)/Your selfie (File responses)/x - Jonas Huber.jpg", "H-21"),
        ("Apps/Microsoft Forms/Ostwind/Question 1/IMG_2_Jonas Huber.jpg", "H-21"),
        ("Anna Müller 7.jpg", "7"),
        ("marek-dvorak-4711/a.jpg", "4711"),
        ("Marek 4711.jpg", "4711"),
        ("Selfie_4711.jpg", "4711"),
        ("Personalnr 4711.jpg", "4711"),
        ("IMG_0042 - 4711.jpg", "4711"),
        ("IMG_H-21.jpg", "H-21"),
        ("IMG_1 - marek.dvorak@acme.example.jpg", "4711"),
    ],
)
def test_the_name_or_number_may_stand_at_the_end(path: str, number: str) -> None:
    assert owner(path) == number


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("박서연/a.jpg", "51"),
        ("박 서연/a.jpg", "51"),
        ("IMG_1 - 박서연.jpg", "51"),
        ("佐藤花子/1.jpg", "52"),
        ("佐藤　花子/1.jpg", "52"),
        ("花子佐藤/1.jpg", "52"),
        ("wulandari (3).png", "53"),
        ("Selfie_Wulandari.jpg", "53"),
        ("さがわはな/1.jpg", "54"),
        ("さかわ はな/1.jpg", "55"),
        ("OConnor Siobhan/1.jpg", "3001"),
        ("Siobhan O’Connor/1.jpg", "3001"),
        ("Siobhan O Connor 2.jpg", "3001"),
        ("s.oconnor/1.jpg", "3001"),
        ("AnneMarie Duval/1.jpg", "3002"),
        ("anne marie duval.jpg", "3002"),
        ("annemarieduval.jpg", "3002"),
        ("van den Heuvel, Jip/1.jpg", "3003"),
        ("Heuvel Jip.jpg", "3003"),
        ("García López, María José/1.jpg", "3004"),
        ("Maria Garcia/1.jpg", "3004"),
        ("Olafur Thor Jonsson/1.jpg", "3005"),
        ("Ólafur Jónsson.jpg", "3005"),
        ("HUBER Jonas.JPG", "H-21"),
        ("JonasHuber2.jpg", "H-21"),
    ],
)
def test_names_as_people_write_them(path: str, number: str) -> None:
    assert owner(path) == number


@pytest.mark.parametrize(
    "path",
    [
        "Sam Lee/a.jpg",
        "lee_sam_2.jpg",
        "sam.lee/a.jpg",
        "Jan Kowalski/1.jpg",
        "Muenchen (File responses)/x - Jan Kowalski.jpg",
        "Jonas Huber - Nadia Benali.jpg",
        "Jonas Huber_Nadia Benali.jpg",
        "4711 - Nadia Benali.jpg",
        "Nadia Benali 4711.jpg",
        "4711 Kateryna Bondarenko/a.jpg",
        "4711 Katerina Bondarenko/a.jpg",
        "Kateryna Bondarenko/Marek Dvorak.jpg",
        "Anna Müller/H-21 - Nadia Benali.jpg",
    ],
)
def test_what_names_two_people_is_given_to_neither(path: str) -> None:
    matching = match_photos([path], PEOPLE)
    assert (dict(matching.by_number), matching.ambiguous) == ({}, (path,))
    assert [f.code for f in matching.findings] == ["ambiguous_photo"]
    assert len(candidates(matching)) >= 2
    assert matching.strays[0].between
    assert [matching.may_be(number) for number in candidates(matching)] == [1] * len(candidates(matching))


@pytest.mark.parametrize(
    "path",
    [
        "IMG_0001.jpg",
        "selfies/0007/a.jpg",
        "70/a.jpg",
        "10012.jpg",
        "unknown/a.jpg",
        "Sam/a.jpg",
        "Jose Garcia/a.jpg",
        # days, times and counters
        "2025-07-19 16.04.55.jpg",
        "2025-07.jpg",
        "2025-07-19/IMG_1.jpg",
        "20250719_160455.jpg",
        "WhatsApp Image 2025-07-19 at 16.04.55.jpg",
        "16.04.55.jpg",
        "IMG_4711.jpg",
        "DSC04711.jpg",
        "photo_4711.jpg",
        "IMG-4711 (2).jpg",
        "4711_0042.jpg",
        "A1B2C3D4-0042-4711-AAAA-BBBBCCCCDDDD.jpg",
        "2025 Sommerfest/1.jpg",
        # in a folder that fits nobody
        "Somebody/7.jpg",
        "Katerina Bondarenko/4711.jpg",
        "Katerina Bondarenko/selfies/4711.jpg",
        "Katerina Bondarenko/Marek Dvorak.jpg",
        "Katerina Bondarenko/H-21.jpg",
        "April/4711.jpg",
        "Sam/4711.jpg",
        "706/4711.jpg",
        "Fotos 706/4711.jpg",
        "Muenchen/4711.jpg",
        "2025/Katerina Bondarenko/1.jpg",
        "Jonas Huber/Peter Smith/1.jpg",
        # more words than the name has
        "Maria Santos Oliveira/1.jpg",
        "Ana Maria Santos.jpg",
        "Ana_Maria_Santos.jpg",
        "Selfie_Ana Maria Santos.jpg",
        "Maria_Santos_Oliveira.jpg",
        "Jonas Huber - Peter Smith.jpg",
        "Marek Dvořák Jr/a.jpg",
        "Wulandari Sari/1.jpg",
        "Max_Wulandari.jpg",
        "Jip van/1.jpg",
        "marek.dvorak@elsewhere.example/1.jpg",
        "0706 ".strip().removeprefix("0") + "/1.jpg",
    ],
)
def test_nobody_is_guessed(path: str) -> None:
    matching = match_photos([path], PEOPLE)
    assert matching.unmatched == (path,)
    assert [(f.code, f.measured) for f in matching.findings] == [("not_on_roster", 1)]
    assert [stray.files for stray in matching.strays] == [(path,)]


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("Berlin/Jan Kowalski/1.jpg", "71"),
        ("Standort Graz/Jan Kowalski 2.jpg", "72"),
        ("Jan Kowalski (Technik)/1.jpg", "72"),
        ("Sales/Jan Kowalski/1.jpg", "71"),
        ("Jan Kowalski 71.jpg", "71"),
        ("72 Jan Kowalski/1.jpg", "72"),
    ],
)
def test_department_location_or_number_settle_two_of_one_name(path: str, number: str) -> None:
    assert owner(path) == number


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("417 garden party.jpg", "417"),
        ("at home - 417.jpg", "417"),
        ("garden 417.jpg", None),
        ("16 garden party.jpg", None),
        ("at home - 16.jpg", None),
        ("H-21 beach house.jpg", "H-21"),
        ("beach_H-21.jpg", "H-21"),
        ("beach house H-21.jpg", None),
    ],
)
def test_a_short_number_beside_other_words_counts_where_it_stands_first_or_apart(path: str, number: str | None) -> None:
    """Two figures are a counter there, and three signs within a sentence stand there by chance."""
    matching = match_photos([path], [*PEOPLE, person("417", "Pia Orth")])
    assert list(matching.by_number) == ([number] if number else [])


def test_a_misspelt_folder_is_named_with_whom_it_may_mean() -> None:
    matching = match_photos(["Katerina Bondarenko/4710.jpg", "Katerina Bondarenko/4711.jpg", "706/1.jpg"], PEOPLE)
    assert [(s.key, s.folder, len(s.files), s.candidates, s.between) for s in matching.strays] == [
        ("Katerina Bondarenko/", "Katerina Bondarenko", 2, ("4802",), False),
        ("706/", "706", 1, ("0706",), False),
    ]


def test_where_most_bare_figures_are_nobodys_they_are_a_cameras() -> None:
    counted = [f"{number}.jpg" for number in range(4709, 4714)]
    assert match_photos(counted, PEOPLE).by_number == {}
    numbers = ["4711.jpg", "4802.jpg", "9999.jpg"]
    assert sorted(match_photos(numbers, PEOPLE).by_number) == ["4711", "4802"]


def test_a_manifest_outranks_names() -> None:
    manifest = {"IMG_1.jpg": "007", "selfies/7/b.jpg": "zoe@acme.example", "c.jpg": "Sam Lee", "d.jpg": "nobody"}
    matching = match_photos(["selfies/IMG_1.jpg", "selfies/7/b.jpg", "selfies/c.jpg", "7/d.jpg"], PEOPLE, manifest)
    assert dict(matching.by_number) == {"007": ("selfies/IMG_1.jpg",), "1001": ("selfies/7/b.jpg",), "7": ("7/d.jpg",)}
    assert matching.ambiguous == ("selfies/c.jpg",)


def test_hrs_word_outranks_all_and_can_be_changed() -> None:
    files = ["selfies/Sam Lee/1.jpg", "selfies/Sam Lee/2.jpg", "selfies/7/b.jpg", "selfies/IMG_1.jpg"]
    manifest = {"IMG_1.jpg": "7"}
    picks = {"Sam Lee/": "1002", "Sam Lee/2.jpg": NOBODYS, "IMG_1.jpg": "1003"}
    matching = match_photos(files, PEOPLE, manifest, picks)
    assert dict(matching.by_number) == {
        "1002": ("selfies/Sam Lee/1.jpg",), "7": ("selfies/7/b.jpg",), "1003": ("selfies/IMG_1.jpg",),
    }  # fmt: skip
    assert matching.set_aside == ("selfies/Sam Lee/2.jpg",)
    assert {s.key: s.picked for s in matching.strays} == picks  # settled, and still to be seen
    assert matching.findings == ()
    # The same key whether the drop or its folder of photos is looked at.
    assert dict(match_photos(["Sam Lee/1.jpg"], PEOPLE, None, picks).by_number) == {"1002": ("Sam Lee/1.jpg",)}
    # A pick for somebody who is no longer on the roster is none.
    assert match_photos(["Sam Lee/1.jpg"], PEOPLE, None, {"Sam Lee/": "9"}).ambiguous == ("Sam Lee/1.jpg",)
    # A pick for a folder is about what that folder decides: somebody's own folder inside it stays theirs.
    inside = match_photos(["Somebody/7/b.jpg", "Somebody/c.jpg"], PEOPLE, None, {"Somebody/": "1001"})
    assert dict(inside.by_number) == {"7": ("Somebody/7/b.jpg",), "1001": ("Somebody/c.jpg",)}


def test_hr_may_say_that_a_folder_holds_photos_of_many() -> None:
    files = ["Ostwind Shots/4711.jpg", "Ostwind Shots/Jonas Huber.jpg", "Ostwind Shots/DSC_1.jpg"]
    assert match_photos(files, PEOPLE).by_number == {}
    matching = match_photos(files, PEOPLE, None, {"Ostwind Shots/": BY_FILE})
    assert dict(matching.by_number) == {"4711": (files[0],), "H-21": (files[1],)}


def test_a_line_that_repeats_somebody_is_not_their_double() -> None:
    again = [person("81", "Renata Kovács", "r@acme.example"), person("81 (row 4)", "Renata Kovács", "r@acme.example")]
    assert dict(match_photos(["Renata Kovács/1.jpg", "81/1.jpg"], again).by_number) == {
        "81": ("Renata Kovács/1.jpg", "81/1.jpg")
    }
    two = [person("77", "Ivana Horvat"), person("77 (row 3)", "Igor Horvat")]
    assert match_photos(["77/1.jpg"], two).ambiguous == ("77/1.jpg",)
    assert dict(match_photos(["Igor Horvat/1.jpg"], two).by_number) == {"77 (row 3)": ("Igor Horvat/1.jpg",)}


def _bare(text: str) -> str:
    """A second, coarser reading of a path, to hold the first one against."""
    lower = text.casefold().translate({ord("ß"): "ss", ord("ø"): "o", ord("þ"): "th"})
    plain = "".join(c for c in unicodedata.normalize("NFKD", lower) if not 0x300 <= ord(c) < 0x370)
    return "".join(c for c in unicodedata.normalize("NFC", plain) if c.isalnum())


def _stands_in(row: RosterRow, path: str) -> bool:
    bare = _bare(path)
    words = [_bare(word) for word in row.name.replace("-", " ").split()]
    two = sum(word in bare for word in words if len(word) > 1) >= min(2, len(words))
    spelt = _bare(path.replace("ue", "u").replace("oe", "o").replace("ae", "a"))
    account = _bare(row.email.partition("@")[0])
    return (
        _bare(row.number) in bare
        or two
        or sum(word in spelt for word in words if len(word) > 1) >= min(2, len(words))
        or bool(account and account in bare)
    )


PIECES = [
    *(row.number for row in PEOPLE), *(row.name for row in PEOPLE), *(row.email for row in PEOPLE if row.email),
    *(word for row in PEOPLE for word in row.name.split()),
    "IMG", "2025-07-19", "0042", "16.04.55", "selfie", "Berlin", "Sales", "Peter Smith", "Katerina", "copy", "(2)",
    "und", "Mueller", "JOERG", "weiss", "o", "connor", "Fotos", "1", "IMG_4711",
]  # fmt: skip
NAMES = st.lists(
    st.tuples(st.sampled_from(PIECES), st.sampled_from([" ", "_", "-", " - ", ", ", ".", ""])), min_size=1, max_size=4
).map(lambda parts: "".join(text + gap for text, gap in parts).strip(" _-.,") or "x")
PATHS = st.tuples(st.lists(NAMES, max_size=3), NAMES).map(lambda p: "/".join([*p[0], p[1] + ".jpg"]))


@settings(max_examples=400, deadline=None)
@given(path=st.one_of(PATHS, st.text(max_size=30).map(lambda t: t.strip("/") + ".jpg")))
@example(path="Katerina Bondarenko/4711.jpg")
@example(path="Maria Santos Oliveira/1.jpg")
@example(path="007 Jan/Berlin.jpg")
@example(path="Berlin/007 - Jan Kowalski.jpg")
def test_no_photo_is_given_to_anybody_who_does_not_stand_in_its_path(path: str) -> None:
    matching = match_photos([path], PEOPLE)
    for number in matching.by_number:
        row = next(row for row in PEOPLE if row.number == number)
        assert _stands_in(row, path), (path, number)


@settings(max_examples=120, deadline=None)
@given(folder=NAMES, name=NAMES)
def test_in_a_folder_that_fits_nobody_no_name_of_a_file_decides(folder: str, name: str) -> None:
    if owner(f"{folder}/DSC_x.jpg") is None and owner(f"Selfies/{folder}/DSC_x.jpg") is None:
        matching = match_photos([f"Zzyzx/{folder}/{name}.jpg", f"Zzyzx/{name}.jpg"], PEOPLE)
        assert dict(matching.by_number) == {}


@settings(max_examples=60, deadline=None)
@given(files=st.lists(PATHS, unique=True, max_size=12))
def test_every_file_is_in_exactly_one_place_and_every_stray_is_named(files: list[str]) -> None:
    picks = dict.fromkeys(files[:2], NOBODYS)
    matching = match_photos(files, PEOPLE, None, picks)
    placed = [f for paths in matching.by_number.values() for f in paths]
    strays = [*matching.unmatched, *matching.ambiguous, *matching.set_aside]
    assert sorted([*placed, *strays]) == sorted(files)
    assert sorted(f for stray in matching.strays for f in stray.files) == sorted(strays)
