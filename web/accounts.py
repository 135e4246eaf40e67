"""Registering, signing in and out, one's own account."""
from dataclasses import asdict
from datetime import timedelta

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from forms.accounts import ChangePasswordForm, ConfirmIdentityForm, RegisterAgencyForm, SignInForm
from store.accounts import SignInRefused
from store.throttles import address_key
from web import context
from web.access import grant_access, safe_target
from web.faces import link_to
from web.language import say
from web.observability import meters
from workflow.vocabulary import N_, Message, Refusal

bp = Blueprint("accounts", __name__)
grant_access("accounts.sign_in", public=True)
grant_access("accounts.enter", public=True)
grant_access("accounts.register", public=True)
grant_access("accounts.enrol", public=True)
grant_access("accounts.sign_out", signed_in=True)
grant_access("accounts.show", signed_in=True)
grant_access("accounts.password", signed_in=True)
grant_access("accounts.change_password", signed_in=True)
grant_access("accounts.confirm", signed_in=True)
grant_access("accounts.reauthenticate", signed_in=True)
grant_access("accounts.end_others", signed_in=True)

REGISTRATIONS, REGISTRATION_WINDOW = 10, timedelta(hours=1)  # refused tries from one address


@bp.get("/sign-in")
def sign_in() -> str | Response:
    if context.visitor():
        return redirect(safe_target(request.args.get("next")) or start_page())
    form = SignInForm(formdata=None, next=safe_target(request.args.get("next")) or "")
    return render_template("accounts/sign_in.html", form=form, refused=None)


@bp.post("/sign-in")
def enter() -> Response | tuple[str, int]:
    form, refused, status = SignInForm(), None, 422
    if form.validate():
        asked = form.to_command()
        try:
            account = context.accounts().authenticate(asked.login, asked.password, context.address())
        except SignInRefused as error:
            refused, status = error.reason, 429 if error.crowded else 422
        else:
            context.web_session().sign_in(account.id)
            meters().sign_ins.labels("accepted").inc()
            return redirect(safe_target(asked.target) or start_page(), 303)
    meters().sign_ins.labels("refused").inc()
    return render_template("accounts/sign_in.html", form=form, refused=refused), status


@bp.post("/sign-out")
def sign_out() -> Response:
    account = context.web_session().account
    if account:
        context.accounts().signed_out(account, context.address())
    context.web_session().end()
    return redirect(url_for("accounts.sign_in"), 303)


def start_page() -> str:
    """Where one lands after signing in."""
    return link_to("home.show") or url_for("accounts.show")


# -- registering an agency -----------------------------------------------------------------------------------


def _registration(**options: object) -> RegisterAgencyForm:
    return RegisterAgencyForm(province=context.house().settings.bureau_division, say=say, **options)


@bp.get("/register", endpoint="register")
def begin() -> str | Response:
    if context.visitor():
        return redirect(start_page())
    return render_template("accounts/register.html", form=_registration(formdata=None))


@bp.post("/register")
def enrol() -> Response | tuple[str, int]:
    form, key = _registration(), address_key("register", context.address())
    if context.throttles().full(key, REGISTRATIONS, REGISTRATION_WINDOW):
        abort(429)
    if form.validate():
        try:
            account_id = context.accounts().register_agency(**asdict(form.to_command()), ip=context.address())
        except Refusal as refusal:
            context.throttles().add(key, REGISTRATION_WINDOW)
            form[refusal.field or "uscc"].errors = [say(refusal.reason)]
        else:
            context.web_session().sign_in(account_id)
            context.tell(Message(N_("Your agency is registered and you are signed in.")))
            return redirect(start_page(), 303)
    return render_template("accounts/register.html", form=form), 422


# -- one's own account ---------------------------------------------------------------------------------------


@bp.get("/account")
def show() -> str:
    session = context.web_session()
    assert session.account
    return render_template("accounts/show.html", account=session.account, own=session.id_hash,
                           sessions=context.sessions().list_of(session.account))


@bp.get("/account/password")
def password() -> str:
    return render_template("accounts/password.html", form=ChangePasswordForm(formdata=None))


@bp.post("/account/password")
def change_password() -> Response | tuple[str, int]:
    form, who = ChangePasswordForm(), context.current_actor()
    if form.validate():
        asked = form.to_command()
        try:
            context.accounts().change_password(who.account_id, asked.old, asked.new, by=who)
        except Refusal as refusal:
            form[refusal.field or "new"].errors = [say(refusal.reason)]
        else:  # every session of the account has ended, this one too: begin anew
            context.web_session().sign_in(who.account_id)
            context.tell(Message(N_("Your password is changed. You were signed out everywhere else.")))
            return redirect(url_for("accounts.show"), 303)
    return render_template("accounts/password.html", form=form), 422


@bp.get("/account/confirm")
def confirm() -> str:
    form = ConfirmIdentityForm(formdata=None, next=safe_target(request.args.get("next")) or "")
    return render_template("accounts/confirm.html", form=form)


@bp.post("/account/confirm")
def reauthenticate() -> Response | tuple[str, int]:
    form = ConfirmIdentityForm()
    if form.validate():
        if context.confirm_identity(form.password.data):
            return redirect(safe_target(form.next.data) or start_page(), 303)
        form.password.errors = [_("This is not your password. After several wrong ones the account rests.")]
    return render_template("accounts/confirm.html", form=form), 422


@bp.post("/account/sessions/end")
def end_others() -> Response:
    session, who = context.web_session(), context.current_actor()
    ended = context.sessions().end_others(who.account_id, session.id_hash or "")
    context.tell(Message(N_("You are signed out everywhere else (%(count)s)."), {"count": ended}))
    return redirect(url_for("accounts.show"), 303)
