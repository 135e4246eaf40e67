"""The people of a demonstration bureau, made through the same doors as real ones."""

from collections.abc import Iterable
from dataclasses import dataclass

from store.accounts import AccountStore
from store.reference import Reference
from workflow import procedures
from workflow.vocabulary import Actor, Role

PASSWORD = "Wujian@2026"  # noqa: S105  # printed at every start of the demonstration; production has no such account


@dataclass(frozen=True, slots=True)
class Part:
    """One account of the cast. Every part is another person."""

    login: str
    name: str
    roles: tuple[Role, ...]
    department: str | None = None
    post: str = ""  # what the list of accounts says beside the name


STAFF = (
    Part("chuangkou", "程一鸣", (Role.WINDOW_OFFICER,), post="窗口"),
    Part("zuzhi", "陆知远", (Role.REVIEW_ORGANISER,), post="评审组织"),
    Part("zuzhang", "沈怀谷", (Role.TEAM_LEADER, Role.REVIEWER), post="评审组长"),
    Part("pingshen1", "顾若川", (Role.REVIEWER,), post="评审员"),
    Part("pingshen2", "乔木生", (Role.TEAM_LEADER, Role.REVIEWER), post="评审员"),
    Part("lingdao", "秦望山", (Role.LEADER,), post="审批"),
    Part("zhizheng", "白简之", (Role.ISSUING_CLERK,), post="制证"),
    Part("hecha", "严明理", (Role.INSPECTOR,), post="核查"),
    Part("guanli", "温故新", (Role.ADMINISTRATOR,), post="管理"),
)
_OFFICER_NAMES = [
    "江澜",
    "方泽",
    "宁岳",
    "田畴",
    "林野",
    "梁栋",
    "路远",
    "卫平",
    "史册",
    "安然",
    "尚文",
    "云舒",
    "石坚",
    "金诚",
    "袁方",
    "龙吟",
    "于闻",
    "和顺",
]
_LEADER_NAMES = ["穆禾", "高筑", "汪洋", "苗青"]
_EXPERT_NAMES = ["谷丰", "单基", "江流", "叶茂"]

APPLICANTS = tuple(f"shenqing{n}" for n in range(1, 10))  # one agency each, see web/demonstration.py
MARK = "demonstration"  # the setting that says that this installation is one


def accounts_in_words() -> str:
    """The accounts of the demonstration, as they are printed at every start."""
    lines = [f"Demonstration accounts 演示账号 (password 密码: {PASSWORD})"]
    lines.append(f"  {f'{APPLICANTS[0]} ... {APPLICANTS[-1]}':<26}申请机构")
    lines += [f"  {part.login:<26}{part.post} {part.name}" for part in STAFF]
    lines.append(f"  {'bumen.ecology, bumen.water, bumen.health ...':<26}  部门会签")
    lines += [f"  {part.login:<26}{part.post} {part.name}" for part in (*leaders(), *experts())]
    return "\n".join(lines)


def licensing_departments() -> tuple[str, ...]:
    """The departments that decide licences of their own, by the definitions."""
    return tuple(sorted({p.spec.department for p in procedures.every() if p.spec.department}))


def leaders() -> list[Part]:
    """Whoever decides for each of these departments."""
    return [Part(_login_of(key, "fuze"), name, (Role.DEPARTMENT_LEADER,), key, "部门负责人")
            for key, name in zip(licensing_departments(), _LEADER_NAMES, strict=False)]


def experts() -> list[Part]:
    """A reviewer of the pool of each of these departments, whom it may name for a joint review."""
    return [Part(_login_of(key, "zhuanjia"), name, (Role.REVIEWER,), key, "部门专家")
            for key, name in zip(licensing_departments(), _EXPERT_NAMES, strict=False)]


class Cast:
    """Makes missing accounts and answers with actors; calling it twice makes nothing twice."""

    def __init__(self, accounts: AccountStore, reference: Reference) -> None:
        self.accounts = accounts
        self.reference = reference

    def assemble(self) -> None:
        """Every official of the bureau, one officer for each department that may be asked, and for those that decide
        licences of their own a leader and an expert."""
        for part in (*STAFF, *self.officers(), *leaders(), *experts()):
            self.ensure(part)
        sectors = {
            f"{row['sector']}/{row['section']}" for row in self.reference.catalogue("department_calls")
        }
        for part in (*STAFF, *experts()):
            if Role.REVIEWER in part.roles:
                self.accounts.set_expertise(self.actor(part.login).person_id, sectors)

    def officers(self) -> Iterable[Part]:
        departments = self.reference.catalogue("departments")
        for row, name in zip(departments, _OFFICER_NAMES, strict=False):
            key = str(row["key"])
            yield Part(_login_of(key), name, (Role.DEPARTMENT_OFFICER,), key)

    def ensure(self, part: Part) -> None:
        if self.accounts.find(part.login) is None:
            self.accounts.add_account(
                part.login,
                PASSWORD,
                name=part.name,
                roles=part.roles,
                department=part.department,
                email=f"{part.login.replace('.', '-')}@bureau.example",
            )

    def actor(self, login: str) -> Actor:
        account = self.accounts.find(login)
        if account is None:
            raise LookupError(f"the cast has no {login}")
        return account.actor()

    def officer_of(self, department: str) -> Actor:
        return self.actor(_login_of(department))

    def leader_of(self, department: str) -> Actor:
        return self.actor(_login_of(department, "fuze"))

    def expert_of(self, department: str) -> Actor:
        return self.actor(_login_of(department, "zhuanjia"))


def _login_of(department: str, office: str = "bumen") -> str:
    return f"{office}.{department.replace('_', '-')}"
