"""A receipt on paper: the same lines as on its page, as a PDF made in memory.

The only door to fpdf2. Its built-in faces know Western letters; a company's name in others stands on the page at the
desk and is left out here, where a wrong letter would be worse than none.
"""

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from tasks.retention.receipts import Receipt, headline, receipt_lines
from tasks.sentences import tell

MARGIN, WIDE, NARROW = 20, 170, 62  # millimetres


def receipt_pdf(receipt: Receipt) -> bytes:
    """The receipt as an A4 document."""
    sheet = FPDF(format="A4")
    sheet.set_margins(MARGIN, MARGIN)
    sheet.set_auto_page_break(True, MARGIN)
    sheet.set_title(tell("receipt.title"))
    sheet.add_page()
    _line(sheet, tell("receipt.head", company=_western(receipt.company) or "Rollcall"), size=10)
    _line(sheet, headline(receipt), size=17, bold=True)
    sheet.ln(3)
    for what, how in receipt_lines(receipt):
        _row(sheet, _western(what), _western(how))
    sheet.ln(4)
    for title, lines in (
        (tell("receipt.kept"), receipt.kept),
        (tell("receipt.outside"), receipt.outside),
    ):
        if lines:
            _line(sheet, title, size=12, bold=True)
        for one in lines:
            _line(sheet, f"-  {_western(one)}", size=10)
        sheet.ln(3)
    _line(sheet, tell("receipt.signed"), size=9)
    return bytes(sheet.output())


def _western(text: str) -> str:
    """The text, where the built-in faces can write it; else without the signs that they cannot."""
    return text.encode("latin-1", errors="ignore").decode("latin-1")


def _line(sheet: FPDF, text: str, *, size: int, bold: bool = False) -> None:
    sheet.set_font("Helvetica", "B" if bold else "", size)
    sheet.multi_cell(WIDE, size * 0.5, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    sheet.ln(1)


def _row(sheet: FPDF, what: str, how: str) -> None:
    """Two columns, and a thin line above them."""
    sheet.set_draw_color(200)
    sheet.line(MARGIN, sheet.get_y(), MARGIN + WIDE, sheet.get_y())
    top = sheet.get_y() + 1.5
    sheet.set_xy(MARGIN, top)
    sheet.set_font("Helvetica", "", 10)
    sheet.set_text_color(90)
    sheet.multi_cell(NARROW - 4, 5, what, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    left_ends = sheet.get_y()
    sheet.set_xy(MARGIN + NARROW, top)
    sheet.set_text_color(0)
    sheet.multi_cell(WIDE - NARROW, 5, how, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    sheet.set_y(max(left_ends, sheet.get_y()) + 1.5)
