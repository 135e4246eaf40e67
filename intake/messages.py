"""What every problem code says to people: what is wrong and what to do, in English and in Chinese, in one table.

The English wordings are message ids; names in braces are filled from the problem's detail.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple


class Wording(NamedTuple):
    """What is wrong (`en`, `zh`) and what to do about it (`advice_en`, `advice_zh`)."""

    en: str
    zh: str
    advice_en: str
    advice_zh: str


MESSAGES: dict[str, Wording] = {
    # Rows of 附表1
    "PARAM_MISSING": Wording(
        "The item has a serial number but no name.", "有参数序号，但没有填写名称。",
        "Fill in the name of the product, item or parameter, or delete the serial number.",
        "请填写产品/项目/参数名称；如与上一行为同一参数，请删去该行序号。"),
    "STD_EMPTY": Wording(
        "No standard (method) is given.", "未填写依据的标准（方法）。",
        "Write the standard's name, number and year in this row.", "请在本行填写标准名称、编号和年号。"),
    "STD_NO_NUMBER": Wording(
        "No standard number can be recognised in “{value}”.", "“{value}”中没有可识别的标准编号。",
        "Add the full number, such as GB/T 5750.4-2023.", "请补充完整编号，例如 GB/T 5750.4-2023。"),
    "STD_MISSING_YEAR": Wording(
        "Standard {number} is given without its four-digit year.", "标准 {number} 缺少四位年号。",
        "Add the year as printed on the standard. In the catalogue: {known}.",
        "请按标准封面补充年号；目录所载：{known}。"),
    "STD_UNKNOWN": Wording(
        "Standard {number} is not in the catalogue of standards.", "标准 {number} 不在标准目录中。",
        "Check the number and year for slips; if it is right, explain it in the remarks.",
        "请核对编号和年号；如确认无误，请在“说明”栏注明。"),
    "STD_WITHDRAWN": Wording(
        "Standard {number} has been withdrawn. Replaced by: {replaced_by}.",
        "标准 {number} 已废止，替代标准：{replaced_by}。",
        "Apply under the standard in force, or explain why the old one is needed.",
        "请改用现行标准；如确需使用，请在“说明”栏写明理由。"),
    "STD_TITLE_MISMATCH": Wording(
        "The title does not belong to standard {number}, which is “{catalogue_title}”.",
        "名称与编号不符：{number} 的名称应为“{catalogue_title}”。",
        "Correct either the title or the number.", "请核对并更正标准名称或编号。"),
    "DUPLICATE_ROW": Wording(
        "The same object, parameter and standards already stand in row {first_row}.",
        "与第 {first_row} 行的对象、参数和标准重复。",
        "Delete one of the two rows, or correct what should differ.", "请删除其中一行，或更正应有差别的内容。"),
    "TEXT_TOO_LONG": Wording(
        "The text has {length} characters, more than the {limit} allowed.",
        "文字共 {length} 个字，超过 {limit} 个字的上限。",
        "Shorten it, or divide it into several rows.", "请精简内容，或分为多行填写。"),
    "CONTROL_CHARS_REMOVED": Wording(
        "Invisible control characters were removed from the text.", "已去除文字中的不可见控制字符。",
        "Check that the text still says what you meant.", "请核对去除后的内容是否正确。"),
    "ROWS_BELOW_NOTE": Wording(
        "{count} filled rows stand below the note in row {note}, where the table ends; they were not read.",
        "第 {note} 行的注以下（表格之外）还有 {count} 行内容，均未读取。",
        "Move them above the note and upload the table again.", "请将这些行移到注的上方后重新上传。"),
    "SIGN_UNPRINTABLE": Wording(
        "The sign “{sign}” ({code_point}) belongs to a special font or is a picture; no certificate can show it.",
        "符号“{sign}”（{code_point}）属于特殊字体或图形，无法印在证书上。",
        "Type the ordinary character in its place, or write it in words.", "请改用普通字符，或用文字表述。"),
    "FORMULA_CELL": Wording(
        "Cells {cells} hold formulas; only their last stored values were read.",
        "单元格 {cells} 是公式，只读取了其最后保存的值。",
        "Replace the formulas by plain values.", "请将公式转换为数值或文字后重新上传。"),
    "EXTERNAL_LINK": Wording(
        "The table refers to another file or address ({target}), which was not followed.",
        "表格引用了其他文件或地址（{target}），系统未读取。",
        "Break the link and enter the value itself.", "请断开链接并直接填写内容。"),
    "CSV_INJECTION_TEXT": Wording(
        "The text “{value}” looks like a formula; it is kept as plain text.",
        "“{value}”形似公式，已按普通文字保存。",
        "Remove the leading sign unless it is meant.", "如非有意，请删去开头的符号。"),
    "MERGE_OVERLAP": Wording(
        "Merged areas {first} and {second} overlap; the upper left one was taken.",
        "合并单元格 {first} 与 {second} 相互重叠，已以先出现者为准。",
        "Undo the merging here and merge again.", "请取消此处的合并后重新合并。"),
    "ROW_HIDDEN": Wording(
        "The row is hidden and was read all the same.", "该行被隐藏，但已照常读取。",
        "Delete the row if it should not count.", "如不应计入，请删除该行。"),
    "SHEET_HIDDEN_IGNORED": Wording(
        "The hidden sheet “{name}” was not read.", "隐藏的工作表“{name}”未读取。",
        "Make it visible if it belongs to the application.", "如属于申请内容，请取消隐藏后重新上传。"),
    "EMBEDDED_IMAGES_IGNORED": Wording(
        "{count} pictures or objects in the file were not read.", "文件中的 {count} 个图片或对象未读取。",
        "Upload pictures as materials.", "图片请作为申请材料另行上传。"),
    "FILE_EXTENSION_MISMATCH": Wording(
        "The file is really a {actual} file although it is named {named}.",
        "文件扩展名为 {named}，实际为 {actual} 格式，已按实际格式读取。",
        "Save it again under the right extension.", "请用正确的扩展名另存。"),
    # Basic facts
    "USCC_CHECK_DIGIT": Wording(
        "The unified social credit code “{value}” is not valid.", "统一社会信用代码“{value}”校验不通过。",
        "Copy the 18 characters from the business licence.", "请按营业执照（法人证书）核对 18 位代码。"),
    "LEGAL_PERSON_MISSING": Wording(
        "The legal representative is missing.", "未填写法定代表人。",
        "Enter the name as on the licence.", "请按证照填写法定代表人姓名。"),
    "ADDRESS_MISSING": Wording(
        "The address “{field}” is missing.", "未填写“{field}”。",
        "Enter the full address.", "请填写完整地址。"),
    # 附表4 and 附表2
    "PERSON_NAME_MISSING": Wording(
        "The person's name is missing.", "未填写姓名。",
        "Enter the name, or delete the row.", "请填写姓名，或删除该行。"),
    "AGE_INVALID": Wording(
        "“{value}” is not an age between 16 and 100.", "年龄“{value}”不是 16 至 100 之间的整数。",
        "Enter the age in whole years.", "请填写周岁整数。"),
    "SEX_INVALID": Wording(
        "“{value}” is not 男 or 女.", "性别“{value}”不是“男”或“女”。", "Enter 男 or 女.", "请填写“男”或“女”。"),
    "EXPERIENCE_EXCEEDS_AGE": Wording(
        "{years} years of experience do not fit an age of {age}.", "从事年限 {years} 年与年龄 {age} 岁不符。",
        "Correct the age or the years of experience.", "请更正年龄或从事本技术领域年限。"),
    "DUPLICATE_PERSON": Wording(
        "The same person (name, sex, age, major) already stands in row {first_row}.",
        "与第 {first_row} 行为同一人（姓名、性别、年龄、专业相同）。",
        "Delete one of the two rows.", "请删除其中一行。"),
    "SIGNATORY_NOT_IN_STAFF": Wording(
        "Signatory {name} is not in the staff table (附表4).", "授权签字人{name}不在附表4检验检测人员表中。",
        "Add the person to 附表4, or correct the name.", "请在附表4中补充该人员，或更正姓名。"),
    "SIGNATORY_TITLE_BELOW_INTERMEDIATE": Wording(
        "The title “{title}” is below intermediate level.", "职称“{title}”低于中级。",
        "A signatory needs an intermediate title or equal ability; correct the title or propose another person.",
        "授权签字人应具有中级及以上职称或同等能力，请核对职称或更换人选。"),
    "SIGNATORY_FIELD_MISSING": Wording(
        "The field to be authorised for signing is missing.", "未填写申请授权签字领域。",
        "Enter the field.", "请填写申请授权签字领域。"),
    # 附表5
    "EQUIP_NAME_MISSING": Wording(
        "The name of the equipment is missing.", "未填写仪器设备（标准物质）名称。",
        "Enter the name, or delete the row.", "请填写名称，或删除该行。"),
    "EQUIP_CALIBRATION_EXPIRED": Wording(
        "Traceability ran out on {valid_to}, before the application date.",
        "溯源有效日期 {valid_to} 早于申请日期，已过期。",
        "Calibrate again and enter the new date.", "请重新检定/校准并填写新的有效日期。"),
    "EQUIP_CONFIRMATION_MISSING": Wording(
        "The result of the confirmation is missing.", "未填写确认结果。",
        "Enter 符合 or 不符合.", "请填写“符合”或“不符合”。"),
    "TRACE_METHOD_INVALID": Wording(
        "“{value}” is not a way of tracing (检定, 校准, 内部校准).",
        "溯源方式“{value}”不是检定、校准或内部校准。",
        "Enter one of the three.", "请填写检定、校准或内部校准之一。"),
    "DATE_UNPARSEABLE": Wording(
        "“{value}” is not a date.", "“{value}”不是可识别的日期。",
        "Write it like 2027-03-31.", "请按 2027-03-31 的格式填写。"),
    # Change of standards
    "CHANGE_TARGET_NOT_REPLACEMENT": Wording(
        "{new} is not known to replace {old} (known: {replaced_by}).",
        "{new} 不是 {old} 的替代标准（目录所载：{replaced_by}）。",
        "Check the new standard, or apply for it as an extension.", "请核对变更后的标准；如属新增方法，请按扩项申请。"),
    # Materials
    "MATERIAL_EMPTY": Wording(
        "The file is empty.", "文件为空（0 字节）。", "Upload the file again.", "请重新上传。"),
    "MATERIAL_TYPE_MISMATCH": Wording(
        "The file is named {named} but its content is {actual}.", "文件扩展名为 {named}，内容却是 {actual}。",
        "Save it in the format its name says.", "请按扩展名对应的格式另存后上传。"),
    "MATERIAL_UNREADABLE": Wording(
        "The file cannot be opened ({reason}).", "文件无法打开（{reason}）。",
        "Open it on your computer, save it again without a password and upload that.",
        "请在本机打开确认无误、去除密码并另存后重新上传。"),
    "MATERIAL_TYPE_NOT_ALLOWED": Wording(
        "This kind of file is not accepted ({actual}).", "不接受此类文件（{actual}）。",
        "Upload a PDF without scripts or attachments, or a JPEG or PNG picture.",
        "请上传不含脚本和附件的 PDF，或 JPEG、PNG 图片。"),
    "MATERIAL_DUPLICATE_CONTENT": Wording(
        "The content is the same as that of {first}.", "内容与“{first}”完全相同。",
        "Upload the right file, or remove one of the two.", "请上传正确的文件，或删除其中一个。"),
    # Refused files
    "FILE_CORRUPT": Wording(
        "The file is damaged and cannot be read.", "文件已损坏，无法读取。",
        "Open it in Excel or WPS, save it as .xlsx and upload that.",
        "请用 Excel 或 WPS 打开，另存为 .xlsx 后重新上传。"),
    "FILE_EMPTY": Wording(
        "There is nothing in the file, or no row under the header.", "文件中没有内容，或表头下没有数据行。",
        "Fill in the official table and upload it.", "请填写官方表格后重新上传。"),
    "FILE_ENCRYPTED": Wording(
        "The file is protected by a password.", "文件设有打开密码。",
        "Remove the password and upload it again.", "请去除密码后重新上传。"),
    "FILE_TYPE_MISMATCH": Wording(
        "The file is named {named} but is no spreadsheet ({actual}).",
        "文件扩展名为 {named}，但内容不是电子表格（{actual}）。",
        "Save the table as .xlsx in Excel or WPS; renaming a file does not convert it.",
        "请用 Excel 或 WPS 另存为 .xlsx；仅修改扩展名不能转换格式。"),
    "FILE_TYPE_NOT_ALLOWED": Wording(
        "Files of type {named} are not accepted here.", "此处不接受 {named} 类型的文件。",
        "Save the table as .xlsx or .xls.", "请另存为 .xlsx 或 .xls 后上传。"),
    "MACRO_ENABLED": Wording(
        "The file contains macros.", "文件含有宏代码。",
        "Save it as a workbook without macros (.xlsx).", "请另存为不含宏的工作簿（.xlsx）。"),
    "FILE_TOO_LARGE_UNCOMPRESSED": Wording(
        "The file is too large ({size}; at most {limit}).", "文件过大（{size}，上限 {limit}）。",
        "Remove pictures, unused sheets and formatting of empty rows.", "请删除图片、多余工作表和空白行的格式。"),
    "ZIP_BOMB": Wording(
        "The file unpacks to far more than its size and was not opened.", "文件解压后异常膨胀，未予打开。",
        "Copy the table into a new workbook and upload that.", "请将表格复制到新建的工作簿中再上传。"),
    "ZIP_PATH_FORBIDDEN": Wording(
        "The file contains parts with forbidden names ({part}).", "文件内含有非法路径的部件（{part}）。",
        "Copy the table into a new workbook and upload that.", "请将表格复制到新建的工作簿中再上传。"),
    "XML_DTD_FORBIDDEN": Wording(
        "The file contains a document type definition, which is not allowed.",
        "文件内含有被禁止的文档类型定义（DTD）。",
        "Copy the table into a new workbook and upload that.", "请将表格复制到新建的工作簿中再上传。"),
    "HEADER_NOT_RECOGNISED": Wording(
        "No sheet has the header of the official table.", "没有找到官方表格的表头。",
        "Use the official template and keep its header row (序号, 依据的标准 ...).",
        "请使用官方模板并保留表头行（序号、依据的标准……）。"),
}  # fmt: skip

_WHERE = {
    "en": ("Sheet {sheet}", "row {row}", "column {column}", ", ", ": "),
    "zh": ("工作表“{sheet}”", "第 {row} 行", "{column} 列", " ", "："),
}


def is_chinese(language: str) -> bool:
    """Whether a language tag (zh, zh_Hans_CN, zh-CN, en ...) asks for Chinese."""
    return language.lower().startswith("zh")


def wording(code: str, detail: Mapping[str, object], language: str) -> tuple[str, str]:
    """The two sentences for a code: what is wrong, and what to do. Raises KeyError for an unknown code."""
    entry = MESSAGES[code]
    what, advice = (entry.zh, entry.advice_zh) if is_chinese(language) else (entry.en, entry.advice_en)
    filled: defaultdict[str, object] = defaultdict(lambda: "—")
    filled.update({name: _shown(value) for name, value in detail.items() if value not in (None, "")})
    return what.format_map(filled), advice.format_map(filled)


def where(sheet: str | None, row: int | None, column: str | None, language: str) -> str:
    """“Sheet 附表1, row 6, column E: ”, or as much of it as is known."""
    in_sheet, in_row, in_column, glue, end = _WHERE["zh" if is_chinese(language) else "en"]
    parts = []
    if sheet:
        parts.append(in_sheet.format(sheet=sheet))
    if row:
        parts.append(in_row.format(row=row))
    if column:
        parts.append(in_column.format(column=column))
    return glue.join(parts) + end if parts else ""


def _shown(value: object) -> str:
    text = "、".join(str(item) for item in value) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= 80 else text[:77] + "…"
