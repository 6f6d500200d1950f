"""The published retention policy, generated from the rules that are really in force, so that the two cannot differ.

Several laws want a written schedule that people can read before their photo is taken (BIPA 15(a) wants it public).
"""

from datetime import timedelta
from html import escape

from tasks.retention.receipts import outside_of
from tasks.retention.rules import Rules, say_duration
from tasks.sentences import tell
from tasks.vault.register import REGISTER

_CLOCKS = {
    "biometric": "photos",
    "candidate": "pictures not chosen",
    "approved": "approved pictures",
    "record": "batch records",
    "proof": "proof",
    "run": "unfinished work",
    "outside": "outside our reach",
}


def schedule(rules: Rules) -> list[tuple[str, str]]:
    """What, and how long: one line per rule, in words."""
    keep = rules.keep
    photos = {"approval": say_duration(keep.selfies_after_approval), "latest": say_duration(keep.selfies_at_latest)}
    spans: dict[str, timedelta | None] = {
        "photos": None, "opted_out": None, "withdrawal": keep.after_withdrawal, "rejected": keep.rejected_pictures,
        "undecided": keep.undecided_pictures, "approved": keep.after_leaving, "unfinished": keep.unfinished_work,
        "records": keep.batch_records, "proof": keep.proof, "pseudonym": keep.proof,
    }  # fmt: skip
    return [
        (
            tell(f"schedule.{what}"),
            tell(f"schedule.{what}_how", span="" if span is None else say_duration(span), **photos),
        )
        for what, span in spans.items()
    ]


def policy_page(rules: Rules, records: str = "sqlite") -> str:
    """The policy as one self-contained page; `records` is the kind of database they are kept in."""
    lines = "".join(f"<tr><td>{escape(what)}</td><td>{escape(how)}</td></tr>" for what, how in schedule(rules))
    kinds = "".join(
        f"<tr><td>{escape(kind.what)}</td><td>{escape(_CLOCKS[kind.clock])}</td><td>{escape(kind.how)}</td></tr>"
        for kind in REGISTER
        if kind.place != "outside"
    )
    outside = "".join(f"<li>{escape(line)}</li>" for line in outside_of(records))
    return _PAGE.format(
        company=escape(rules.company.name or "This company"),
        contact=escape(rules.company.contact or "your HR team"),
        lines=lines,
        kinds=kinds,
        outside=outside,
        digest=escape(rules.digest),
        wait=escape(say_duration(rules.keep.after_withdrawal + timedelta(days=1))),
    )


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>How long we keep your photos</title>
<style>
body{{font:16px/1.55 system-ui,sans-serif;max-width:50rem;margin:3rem auto;padding:0 1rem;color:#1b1f24}}
table{{border-collapse:collapse;width:100%}}
th,td{{text-align:left;vertical-align:top;padding:.5rem .8rem .5rem 0;border-top:1px solid #d0d7de}}
small{{color:#57606a}}
@media(prefers-color-scheme:dark){{body{{background:#0d1117;color:#e6edf3}}th,td{{border-color:#3d444d}}
small{{color:#9198a1}}}}
</style></head><body>
<h1>How long we keep your photos, and how we delete them</h1>
<p>{company} uses Rollcall to make headshots. Nothing of yours is opened before you agreed, saying no has no
consequences, and you can take your consent back at any time: write to {contact}. Everything of yours is then deleted
within {wait}, and you get a receipt. From the moment you say so nothing of yours is used.</p>
<h2>The schedule</h2>
<table><thead><tr><th>What</th><th>How long</th></tr></thead><tbody>{lines}</tbody></table>
<p>A legal hold can suspend deletion for named people; it never extends what the photos are used for.</p>
<h2>Everything we keep, and how it goes</h2>
<table><thead><tr><th>What</th><th>Follows the line about</th><th>How it is deleted</th></tr></thead>
<tbody>{kinds}</tbody></table>
<h2>What we cannot delete for you</h2>
<ul>{outside}</ul>
<p><small>Generated from the rules in force; their fingerprint is {digest}.</small></p>
</body></html>
"""
