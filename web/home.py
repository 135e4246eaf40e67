"""The front door: what this place is, for whoever is not signed in; everybody else goes to their desk."""
from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from web.access import grant_access
from web.context import visitor
from web.faces import link_to

bp = Blueprint("home", __name__)
grant_access("home.show", public=True)


@bp.get("/")
def show() -> str | Response:
    if visitor():
        return redirect(link_to("desks.start") or url_for("accounts.show"))
    return render_template("home/show.html")
