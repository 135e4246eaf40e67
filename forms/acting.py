"""What every form of an act is made of: its own identifier, the version that was seen, a note, and the way out."""
from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Form, HiddenField, PasswordField, SelectChoice, TextAreaField

from workflow.commands import Command
from workflow.vocabulary import N_, Message, Refusal


def _damaged() -> Refusal:
    return Refusal("malformed", Message(N_("This form is damaged; reload the page and send it again.")))


def offered(words: Mapping[str, Any]) -> list[SelectChoice]:
    """Code -> words as the choices of a field."""
    return [SelectChoice(code, label) for code, label in words.items()]


class ActionForm(Form):  # type: ignore[misc]
    """What every act sends: its own identifier, the version of the case that was seen, and a note."""

    class Meta:
        csrf = False  # the token is checked for every unsafe request before any view runs
        locales = False

    command: ClassVar[type[Command]]

    command_id = HiddenField()
    expected_version = HiddenField()
    note = TextAreaField(_l("Note"), render_kw={"rows": 2},
                         description=_l("Kept in the case's history; need not be filled in."))
    sure = BooleanField(_l("I have checked this and know that it cannot be undone."))
    password = PasswordField(_l("Your password"), description=_l(
        "This step is taken under your own name: confirm that it is you."),
        render_kw={"autocomplete": "current-password", "data-no-autosave": ""})

    def __init__(self, formdata: MultiDict[str, str] | None = None, *, reauthenticate: bool = False,
                 irreversible: bool = False, **prefill: Any) -> None:
        # A sent form is taken as it was sent: no suggestion fills what somebody has emptied.
        super().__init__(formdata, data={} if formdata is not None else {"command_id": str(uuid4()), **prefill})
        if not reauthenticate:
            del self.password
        if not irreversible:
            del self.sure

    def act_id(self) -> str:
        """The identifier of this act. Raises Refusal("malformed") when it is none."""
        try:
            return str(UUID(self.command_id.data or ""))
        except ValueError:
            raise _damaged() from None

    def seen_version(self) -> int:
        """The version of the case that was on the screen. Raises Refusal("malformed")."""
        text = self.expected_version.data or ""
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise _damaged()
        return int(text)

    def read(self) -> Command:
        """The command, once what the form itself asks for is there. Raises Refusal("malformed") with the field."""
        for name, field in self._fields.items():
            if field.process_errors:
                raise Refusal("malformed", Message(str(field.process_errors[0])), field=name)
        command = self.to_command()
        if "sure" in self._fields and not self.sure.data:
            raise Refusal("malformed", Message(N_("Tick this box if you are sure.")), field="sure")
        return command

    def to_command(self) -> Command:
        raise NotImplementedError

    def refuse(self, refusal: Refusal, words: str) -> None:
        """Put a refusal, said in the reader's language, onto its field (or onto the form)."""
        if refusal.field and refusal.field in self._fields:
            self._fields[refusal.field].errors = [words]
        else:
            self.form_errors = [words]

    def renew(self, version: int) -> None:
        """Make a refused form sendable again: a new act, on the case as it is now."""
        self.command_id.data, self.expected_version.data = str(uuid4()), str(version)

    def wants_another_row(self) -> bool:
        """Whether the press asked for one more row instead of sending."""
        return False

    def note_text(self) -> str:
        return self.note.data or ""
