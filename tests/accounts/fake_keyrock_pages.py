"""Pages of the fake Keyrock: plain, but with the fields, names and addresses of the real ones."""

from __future__ import annotations

from html import escape

STYLE = """
body { margin: 0; font: 15px/1.5 sans-serif; color: #2b3a45; background: #f1f3f5; }
header { padding: .9rem 2rem; color: #fff; background: #002e67; font-weight: bold; }
main { max-width: 34rem; margin: 2.5rem auto; padding: 1.75rem 2rem; background: #fff; border: 1px solid #d5dbe0; }
label { display: block; margin: .9rem 0 .25rem; font-weight: bold; }
input[type=text], input[type=email], input[type=password], select {
  box-sizing: border-box; width: 100%; padding: .5rem; border: 1px solid #aab4bd; font: inherit; font-weight: normal; }
button { margin-top: 1.25rem; padding: .55rem 1.4rem; color: #fff; background: #5dc0cf; border: 0; font: inherit; }
.error { padding: .5rem .75rem; background: #fbe3e4; }
small { display: block; color: #67747e; }
"""


def page(title: str, body: str) -> str:
    return (
        f"<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>{escape(title)}</title>"
        "<meta name=viewport content='width=device-width'>"
        f"<link rel=icon href=data:,><style>{STYLE}</style></head><body><header>Identity Manager - Keyrock</header>"
        f"<main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )


def login(action: str, csrf: str, error: str = "") -> str:
    wrong = f"<p class=error>{escape(error)}</p>" if error else ""
    return page(
        "Log In",
        f"{wrong}<form method=post action='{escape(action)}'>"
        f"<input type=hidden name=_csrf value='{csrf}'>"
        "<label for=email>Email</label><input type=email id=email name=email required>"
        "<label for=password>Password</label><input type=password id=password name=password required>"
        "<button type=submit>Sign In</button></form>",
    )


def consent(action: str, csrf: str, app: str) -> str:
    options = "".join(
        f"<option value={name} selected>{name}</option>"
        for name in ("username", "email", "identity_attributes", "image", "gravatar", "eidas_profile")
    )
    return page(
        "Authorize application",
        f"<p><b>{escape(app)}</b> wants to know who you are.</p>"
        f"<form method=post action='{escape(action)}'><input type=hidden name=_csrf value='{csrf}'>"
        "<label for=shared>Attributes to share</label>"
        f"<select id=shared multiple size=6 name='user_authorized_application[shared_attributes]'>{options}</select>"
        "<button type=submit>Authorize</button> <a href='/'>Deny</a></form>",
    )


def application(name: str, url: str, callback: str, sign_out: str) -> str:
    """The form in which an application is registered; for the pictures of the documentation."""

    def text(label: str, value: str, hint: str = "") -> str:
        return f"<label>{label}<input type=text value='{escape(value)}'></label><small>{hint}</small>"

    grants = "".join(
        f"<label><input type=checkbox{' checked' if name == 'Authorization Code' else ''}> {name}</label>"
        for name in ("Authorization Code", "Implicit", "Resource Owner Password", "Client Credentials")
    )
    return page(
        "Register a new application",
        text("Name", name)
        + text("Description", "Our container platform")
        + text("URL", url)
        + text("Callback URL", callback, "compared letter by letter")
        + text("Sign-out Callback URL", sign_out)
        + f"<label>Grant type</label>{grants}"
        + "<button type=button>Next</button>",
    )


def credentials(client_id: str) -> str:
    return page(
        "OAuth2 Credentials",
        f"<label>Client ID<input type=text value='{client_id}'></label>"
        "<label>Client Secret<input type=password value='not-shown-in-pictures'></label>"
        "<label>Token types</label>"
        "<label><input type=checkbox disabled checked> Bearer</label>"
        "<label><input type=checkbox> Permanent</label><label><input type=checkbox> JSON Web Token</label>"
        "<label>Roles</label><ul><li>platform-user</li><li>platform-operator</li></ul>",
    )
