"""The block of HTML for an e-mail signature: nothing in it that Outlook (Word's engine) or Gmail leaves out.

So a table and inline styles only, width and height on the picture, fonts that every machine has, no style sheet,
script, background picture or picture inside the text. Whatever a roster says is text in it, never markup.
"""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from tasks.delivery.pack import Snippet
from tasks.vault.records import Employee

FONT = "font-family:Arial,Helvetica,sans-serif"


def signature_block(person: Employee, path: str, asked: Snippet) -> bytes:
    """One person's block. `path` is their picture's; the block lies in the same folder."""
    file = quote(path.rsplit("/", 1)[-1])
    source = escape(asked.address.replace("{file}", file) if asked.address else file, quote=True)
    lines = [
        f'<span style="{FONT};font-size:15px;font-weight:bold;color:#1d2330">{escape(person.name)}</span>',
        *(
            f'<span style="{FONT};font-size:13px;color:#4b5565">{escape(line)}</span>'
            for line in (person.title, person.department)
            if line
        ),
    ]
    if person.email:
        address = escape(person.email, quote=True)
        lines.append(f'<a href="mailto:{address}" style="{FONT};font-size:13px;color:#1d4f91">{address}</a>')
    side = asked.shown
    block = (
        '<table role="presentation" cellpadding="0" cellspacing="0" border="0"><tr>'
        f'<td width="{side}" valign="middle" style="padding:0 14px 0 0">'
        f'<img src="{source}" width="{side}" height="{side}" border="0" alt="{escape(person.name, quote=True)}" '
        f'style="display:block;width:{side}px;height:{side}px;border-radius:{side // 2}px">'
        f'</td><td valign="middle" style="line-height:1.4">{"<br>".join(lines)}</td></tr></table>'
    )
    return f'<!DOCTYPE html>\n<meta charset="utf-8">\n<title>Signature</title>\n{block}\n'.encode()
