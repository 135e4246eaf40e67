"""Staff get the model of a procedure; nobody else does, and a version that is none is not found."""
import xml.etree.ElementTree as Tree

from workflow import procedures


def test_staff_open_the_model_that_runs(client_of):
    current = procedures.current("cma")
    answer = client_of("administrator").get(f"/procedures/cma/{current.version}.bpmn")
    assert answer.status_code == 200
    names = {element.get("name") for element in Tree.fromstring(answer.text).iter()}
    assert current.states["awaiting_decision"].label.zh in names


def test_an_applicant_and_a_wrong_version_get_none(client_of):
    assert client_of("applicant").get("/procedures/cma/1.bpmn").status_code == 403
    assert client_of("administrator").get("/procedures/cma/9999.bpmn").status_code == 404
