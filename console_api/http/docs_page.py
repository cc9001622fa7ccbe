"""The description of the API as one page: no script, nothing fetched from anywhere."""

import base64
import hashlib
from html import escape
from typing import Final

from console_api.accounts.roles import MAY
from console_api.http.call import Call, problems_of
from console_api.http.calls import CALLS
from console_api.http.problem import Kinds

_STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;
color:#1b1b1b;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.5rem}
article{border-top:1px solid #ccc;padding:.6rem 0}
code{font:14px ui-monospace,monospace;background:#f2f2f2;padding:.1rem .3rem;border-radius:3px}
.method{font-weight:700;display:inline-block;min-width:4.5rem}
[lang=id]{font-weight:600}[lang=en]{color:#444}
small{color:#444}table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:left}
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}code{background:#2a2a2a}
small,[lang=en]{color:#bbb}article{border-color:#444}}
"""
_DIGEST: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
_INTRODUCTION: Final = """
<p lang="id">Masuk dengan <code>POST /v1/session</code>, lalu kirim tokennya sebagai
<code>Authorization: Bearer</code>. Tindakan atas kasus memerlukan <code>If-Match</code> berisi
versi yang dilihat, dan boleh membawa <code>Idempotency-Key</code>. Waktu memakai RFC 3339 UTC.
Uraian lengkap: <a href="/openapi.json">openapi.json</a>.</p>
<p lang="en">Log in with <code>POST /v1/session</code> and send its token as
<code>Authorization: Bearer</code>. Actions on a case need <code>If-Match</code> with the version
that was seen, and may carry an <code>Idempotency-Key</code>. Times are RFC 3339 in UTC.
All details: <a href="/openapi.json">openapi.json</a>.</p>
"""


def page() -> bytes:
    """Return the page in Indonesian and English."""
    calls = "".join(_article(call) for call in CALLS.values())
    problems = "".join(
        f"<tr><td>{kind.value.status}</td><td><code>{kind.value.uri}</code></td>"
        f"<td>{escape(kind.value.title)}</td></tr>"
        for kind in Kinds
    )
    return (
        '<!doctype html><html lang="id"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Siaga API</title>'
        f"<style>{_STYLE}</style></head><body><h1>Siaga API</h1>{_INTRODUCTION}"
        f"<h2>Panggilan · Calls</h2>{calls}"
        "<h2>Galat · Problems</h2><table><tr><th>Status</th><th>type</th><th></th></tr>"
        f"{problems}</table></body></html>"
    ).encode()


def _article(call: Call) -> str:
    who = "semua · everyone" if call.public else ", ".join(sorted(MAY[call.name]))
    statuses = sorted({call.answer.status, *(kind.value.status for kind in problems_of(call))})
    body = "" if call.body is None else f" · {escape(' | '.join(call.media))}"
    return (
        f'<article id="{call.name}"><span class="method">{call.method}</span>'
        f"<code>{escape(call.path)}</code><br>"
        f'<span lang="id">{escape(call.indonesian)}</span> · '
        f'<span lang="en">{escape(call.english)}</span><br>'
        f"<small>{escape(who)} · {', '.join(map(str, statuses))}{body}</small></article>"
    )


PAGE: Final = page()
