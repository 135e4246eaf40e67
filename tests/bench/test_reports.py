"""Figures and proofs are written down so that the next run replaces its own and nothing else."""
from types import SimpleNamespace

from bench.__main__ import with_section
from proof.ledger import Result, keep, latest, page
from proof.recording import result_of


def test_a_bench_replaces_its_own_section_and_no_other():
    report = with_section(with_section("# Performance\n", "engine", "old \\1 figures"), "pdf", "pages")
    again = with_section(report, "engine", "new \\g<0> figures")
    assert "old" not in again
    assert again.count("new \\g<0> figures") == again.count("pages") == 1
    assert again.index("figures") < again.index("pages")
    assert with_section(again, "engine", "new \\g<0> figures") == again


def test_the_page_shows_the_latest_result_of_each_claim(tmp_path):
    ledger = tmp_path / "results.jsonl"
    keep([Result("joins", "joined once", 10, 3), Result("joins", "nothing lost", 10, 0)], ledger)
    keep([Result("joins", "joined once", 1000, 0, note="sqlite | postgresql")], ledger)
    assert len(ledger.read_text(encoding="utf-8").splitlines()) == 3
    assert [(kept.claim, kept.tries, kept.unexpected) for kept in latest(ledger)] == [
        ("joined once", 1000, 0), ("nothing lost", 10, 0)]
    assert "sqlite \\| postgresql" in page(latest(ledger))


def test_a_proof_test_counts_its_tries_and_its_failure():
    report = SimpleNamespace(
        nodeid="tests/store/test_races.py::test_the_last_two_join_once[sqlite]", failed=True,
        user_properties=[("races", 1000), ("seconds", 31)])
    seen = result_of(report)
    assert (seen.proof, seen.tries, seen.unexpected) == ("store/test_races", 1000, 1)
    assert seen.claim == "the last two join once[sqlite]"
    assert seen.note == "seconds 31"
