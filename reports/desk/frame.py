"""What the desk adds to a report's page: who is signed in, the way back and the way out, and where decisions go.

The pages lie in a folder and work without a desk; three remarks in them mark the places.
"""

from markupsafe import escape

from reports.site import render
from tasks.sentences import tell


def framed(page: str, batch: str, by: str, token: str, *, delivers: bool = False) -> str:
    """The page as it is served to this reviewer. `delivers`: they may take the batch's files away."""
    meta = {"rollcall-desk": f"/batches/{batch}/decisions", "rollcall-csrf": token, "rollcall-by": by}
    tags = "\n".join(f'<meta name="{name}" content="{escape(content)}">' for name, content in meta.items())
    page = page.replace("<!--desk-->", tags, 1)
    links = f'<a class="home" href="/">{escape(tell("nav.home"))}</a>'
    if delivers:
        links += f' <a class="home" href="/batches/{batch}/deliver">{escape(tell("deliver.link"))}</a>'
    page = page.replace("<!--desk-home-->", links, 1)
    return page.replace("<!--desk-signed-->", render("signed.html", by=by, token=token), 1)
