"""What a fact is called when a story is told: its name in a definition is for those who write definitions."""

from collections.abc import Mapping, Sequence
from typing import Any

from workflow.vocabulary import Message

WORDS: dict[str, tuple[str, str]] = {
    "agency_address": ("address of the agency", "机构地址"),
    "agency_name": ("name of the agency", "机构名称"),
    "alone": ("the licence goes its own way", "该项许可分开办理"),
    "application_types": ("types of application", "申请类型"),
    "certificate_expires_on": ("the certificate expires on", "原证书有效期至"),
    "certificate_held": ("certificate held", "已持有证书"),
    "certificate_number": ("certificate number", "证书编号"),
    "certificate_rendered": ("the certificate is produced", "证书已生成"),
    "commitment_bars": ("reasons against the commitment track", "不适用告知承诺的情形"),
    "commitment_notice_version": ("version of the commitment notice", "告知承诺书版本"),
    "commitment_signer": ("signer of the commitment", "承诺书签署人"),
    "commitment_text_sha256": ("commitment signed", "已签署承诺书"),
    "corrections_open": ("correction items unanswered", "未答复的补正事项"),
    "deciding_departments": ("departments that decide", "作出决定的部门"),
    "decision_grounds": ("grounds of the decision", "决定理由"),
    "departments": ("departments asked", "征求意见的部门"),
    "dossier_gaps": ("what is missing in the application", "申请材料所缺内容"),
    "failed_licences": ("licences whose own lines do not meet", "专有检查项不符合的许可"),
    "field_code": ("field of the certificate", "专业领域代码"),
    "findings_failed": ("checklist lines that do not meet", "检查表不符合项"),
    "findings_open": ("checklist lines unanswered", "检查表未填写项"),
    "industry_code": ("industry of the certificate", "行业代码"),
    "licences": ("licences applied for", "申请的许可"),
    "mandatory_standards": ("mandatory standards", "强制性标准"),
    "nominations": ("experts named", "已推荐的专家"),
    "planned_on": ("planned day of the review", "评审计划日期"),
    "rectification_demand": ("what is to be rectified", "整改要求"),
    "rectification_lapsed": ("the rectification was not made in time", "逾期未整改"),
    "rectification_report": ("report on the rectification", "整改报告"),
    "refusal_basis": ("basis of the refusal", "不予许可的依据"),
    "refusal_reasons": ("reasons of the refusal", "不予许可的理由"),
    "refusal_remedy": ("remedies against the refusal", "救济途径"),
    "review_conclusion": ("conclusion of the review", "评审结论"),
    "review_failure": ("what the review found wanting", "评审不符合情况"),
    "review_grounds": ("grounds of the review", "评审理由"),
    "review_mode": ("kind of review", "评审方式"),
    "reviewed_alone": ("reviewed by its own department", "由本部门单独评审"),
    "route": ("route of the application", "办理路径"),
    "rows_confirmed": ("capability rows confirmed", "已确认的能力行"),
    "rows_open": ("capability rows not yet confirmed", "未确认的能力行"),
    "rows_refused": ("capability rows excepted", "不予确认的能力行"),
    "rows_total": ("capability rows", "能力行总数"),
    "sectors": ("sectors", "行业领域"),
    "separation_grounds": ("grounds for going its own way", "分开办理的理由"),
    "sign_off_closing_grounds": ("grounds for closing the sign-off", "结束会签的理由"),
    "sites": ("sites", "场所"),
    "team_leader": ("leader of the team", "评审组长"),
    "team_others": ("others of the team", "评审组其他成员"),
    "took_part": ("persons who took part before", "此前参与办理的人员"),
    "untrue": ("the commitment is untrue", "承诺不实"),
    "untrue_grounds": ("why the commitment is untrue", "承诺不实的情况"),
}  # fmt: skip

_VALUES: dict[str, tuple[str, str]] = {
    "True": ("yes", "是"),
    "False": ("no", "否"),
    "meets": ("meets", "符合"),
    "basically_meets": ("basically meets", "基本符合"),
    "does_not_meet": ("does not meet", "不符合"),
    "on_site": ("on site", "现场评审"),
    "documentary": ("documentary", "书面审查"),
    "granted": ("granted", "准予许可"),
    "refused": ("refused", "不予许可"),
    "retracted": ("retracted", "已撤回"),
}


def told(facts: Mapping[str, Any]) -> Message:
    """ "capability rows not yet confirmed: 0, commitment signed: none", in both languages; a fact that no shipped
    definition names goes by its own name."""
    names = sorted(facts)
    english = ", ".join(f"{WORDS.get(n, (n, n))[0]}: {_value(facts[n], 0)}" for n in names)
    chinese = "，".join(f"{WORDS.get(n, (n, n))[1]}：{_value(facts[n], 1)}" for n in names)
    return Message(english, zh=chinese)


def _value(value: Any, language: int) -> str:
    if value is None or value == "" or value == [] or value == ():
        return ("none", "无")[language]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return (", ", "、")[language].join(_value(v, language) for v in value)
    return _VALUES.get(str(value), (str(value),) * 2)[language]
