"""What the issuing clerk chooses: certificates, each with the version of the case that was on the screen."""

import hashlib
from dataclasses import dataclass
from uuid import UUID, uuid4

from werkzeug.datastructures import MultiDict
from wtforms import Form, HiddenField, SelectMultipleField

from workflow.vocabulary import N_, Message, Refusal

MOST = 200  # certificates in one go


@dataclass(frozen=True, slots=True)
class Chosen:
    """One case of a choice: `seen` is the version on the screen, `command_id` makes a repeat harmless."""

    public_id: str
    seen: int
    command_id: str


class ChoiceForm(Form):  # type: ignore[misc]
    """Ticked rows, each as "<case>:<version>"."""

    command_id = HiddenField()
    case = SelectMultipleField(choices=[], validate_choice=False)

    def __init__(self, formdata: MultiDict[str, str] | None = None) -> None:
        super().__init__(formdata, data={"command_id": str(uuid4())})

    def act_id(self) -> str:
        """The identifier of this act. Raises Refusal("malformed")."""
        try:
            return str(UUID(self.command_id.data or ""))
        except ValueError:
            raise _damaged() from None

    def chosen(self) -> tuple[Chosen, ...]:
        """What was ticked, each once. Raises Refusal("malformed") for nothing, too much or nonsense."""
        act, found = self.act_id(), {}
        for value in self.case.data or ():
            public_id, _, version = str(value).partition(":")
            if len(public_id) > 40 or not (version.isascii() and version.isdigit() and len(version) < 10):
                raise _damaged()
            found[public_id] = Chosen(public_id, int(version), one_act(act, public_id))
        if not found:
            raise Refusal("malformed", Message(N_("Tick at least one certificate.")), field="case")
        if len(found) > MOST:
            raise Refusal(
                "malformed", Message(N_("At most %(most)s certificates in one go."), {"most": MOST}), field="case"
            )
        return tuple(found.values())


def one_act(act: str, public_id: str) -> str:
    """The command id of one case within an act on many: 40 characters, the same for a repeat."""
    return hashlib.sha256(f"{act}:{public_id}".encode()).hexdigest()[:40]


def _damaged() -> Refusal:
    return Refusal("malformed", Message(N_("This form is damaged; reload the page and send it again.")))
