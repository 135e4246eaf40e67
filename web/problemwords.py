"""The codes of problems in a few words each, for filters and counts; the whole sentence is the intake's."""
from web.language import say
from workflow.vocabulary import N_

CODES = {
    "PARAM_MISSING": N_("Item without a name"),
    "STD_EMPTY": N_("No standard given"),
    "STD_NO_NUMBER": N_("Standard number not recognised"),
    "STD_MISSING_YEAR": N_("Standard without its year"),
    "STD_UNKNOWN": N_("Standard not in the catalogue"),
    "STD_WITHDRAWN": N_("Standard withdrawn"),
    "STD_TITLE_MISMATCH": N_("Title and number differ"),
    "DUPLICATE_ROW": N_("Repeated row"),
    "TEXT_TOO_LONG": N_("Text too long"),
    "CONTROL_CHARS_REMOVED": N_("Invisible characters removed"),
    "ROWS_BELOW_NOTE": N_("Rows below the end of the table"),
    "SIGN_UNPRINTABLE": N_("Sign that cannot be printed"),
    "FORMULA_CELL": N_("Formula in a cell"),
    "EXTERNAL_LINK": N_("Link to another file"),
    "CSV_INJECTION_TEXT": N_("Text like a formula"),
    "MERGE_OVERLAP": N_("Overlapping merged cells"),
    "ROW_HIDDEN": N_("Hidden row"),
    "SHEET_HIDDEN_IGNORED": N_("Hidden sheet not read"),
    "EMBEDDED_IMAGES_IGNORED": N_("Pictures not read"),
    "FILE_EXTENSION_MISMATCH": N_("Extension and content differ"),
    "USCC_CHECK_DIGIT": N_("Credit code does not check"),
    "LEGAL_PERSON_MISSING": N_("No legal representative"),
    "ADDRESS_MISSING": N_("No address"),
    "PERSON_NAME_MISSING": N_("No name"),
    "AGE_INVALID": N_("Age not plausible"),
    "SEX_INVALID": N_("Sex not given rightly"),
    "EXPERIENCE_EXCEEDS_AGE": N_("More years of work than of age"),
    "DUPLICATE_PERSON": N_("Repeated person"),
    "SIGNATORY_NOT_IN_STAFF": N_("Signatory not among the staff"),
    "SIGNATORY_TITLE_BELOW_INTERMEDIATE": N_("Signatory below intermediate title"),
    "SIGNATORY_FIELD_MISSING": N_("No field for the signatory"),
    "EQUIP_NAME_MISSING": N_("Equipment without a name"),
    "EQUIP_CALIBRATION_EXPIRED": N_("Calibration expired"),
    "EQUIP_CONFIRMATION_MISSING": N_("No result of confirmation"),
    "TRACE_METHOD_INVALID": N_("Way of tracing not allowed"),
    "DATE_UNPARSEABLE": N_("Date not recognised"),
    "CHANGE_TARGET_NOT_REPLACEMENT": N_("New standard is no replacement"),
}


def code_words(code: str) -> str:
    """What a code is called in the reader's language; the code itself where it is new."""
    return say(CODES[code]) if code in CODES else code
