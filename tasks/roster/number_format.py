"""Shows a number as a spreadsheet shows it: `"HR-"00000` makes HR-00057 of 57.

Only what an employee number can be shown by is followed: noughts, figures, letters and signs in the first section of a
format. What groups thousands, makes fractions or powers of ten, or depends on a condition is not guessed at.
"""

from __future__ import annotations

import re

# Of the formats that every workbook has without writing them down: General, 0, text.
BUILT_IN = {0: "General", 1: "0", 2: "0.00", 49: "@"}
_TOKEN = re.compile(
    r'"([^"]*)"|\\(.)|\[([^\]]*)\]|_.|\*.|(General)|([0#?])|(\.)|([,%@]|E[+-])|(.)', re.IGNORECASE | re.DOTALL
)
_LITERALS = frozenset("$-+/():!^&'~{}<>= ")


def shown(value: float, code: str) -> str | None:
    """`value` as it stands in the sheet under this format, or None where the format cannot be followed."""
    sections = _sections(code)
    section = sections[1] if value < 0 and len(sections) > 1 else sections[0]
    if value == 0 and len(sections) > 2:
        section = sections[2]
    tokens = _tokens(section)
    if tokens is None:
        return None
    if not any(kind in ("digit", "general") for kind, _ in tokens):
        return "".join(text for _, text in tokens) if tokens else ""
    sign = "-" if value < 0 and len(sections) == 1 else ""
    return sign + _fill(abs(value), tokens)


def _sections(code: str) -> list[str]:
    """The parts between semicolons that stand in no quotes."""
    return re.findall(r'(?:"[^"]*"|\\.|\[[^\]]*\]|[^;"\\])+', code) or ["General"]


def _tokens(section: str) -> list[tuple[str, str]] | None:
    found: list[tuple[str, str]] = []
    if "?" in section and "/" in section:  # a fraction
        return None
    for match in _TOKEN.finditer(section):
        quoted, escaped, bracket, general, digit, point, other, plain = match.groups()
        if quoted is not None or escaped is not None:
            found.append(("text", quoted if quoted is not None else escaped))
        elif bracket is not None:
            if re.match(r"[<>=]", bracket) or re.fullmatch(r"[hms]+", bracket, re.IGNORECASE):
                return None
            symbol = re.fullmatch(r"\$([^-]*)(?:-[0-9A-Fa-f]+)?", bracket)  # a language mark, perhaps with a currency
            found += [("text", symbol[1])] if symbol and symbol[1] else []
        elif general or other == "@":
            found.append(("general", ""))
        elif digit:
            found.append(("digit", digit))
        elif point:
            found.append(("point", "."))
        elif other or (plain is not None and plain not in _LITERALS):
            return None
        elif plain is not None:
            found.append(("text", plain))
    return found


def _fill(value: float, tokens: list[tuple[str, str]]) -> str:
    """Figures into their places from the right; those that find none stand where the first place is."""
    at = next((i for i, (kind, _) in enumerate(tokens) if kind == "point"), len(tokens))
    places = sum(kind == "digit" for kind, _ in tokens[at:])
    whole, _, rest = f"{value:.{places}f}".partition(".")
    if any(kind == "general" for kind, _ in tokens):
        plain = str(int(value)) if float(value).is_integer() else repr(value)
        return "".join(plain if kind == "general" else text for kind, text in tokens)
    figures, out = list(whole if whole != "0" else ""), []
    first = next((i for i, (kind, _) in enumerate(tokens) if kind == "digit"), 0)
    for i in range(at - 1, -1, -1):
        kind, text = tokens[i]
        if kind != "digit":
            out.append(text)
            continue
        if i == first and len(figures) > 1:
            out += reversed(["".join(figures)])
            figures = []
        elif figures:
            out.append(figures.pop())
        elif text == "0":
            out.append("0")
    behind, left = "", list(rest)
    for kind, text in tokens[at:]:
        behind += (left.pop(0) if left else "") if kind == "digit" else text
    return "".join(reversed(out)) + behind
