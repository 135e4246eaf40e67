"""`wujian demo`: a bureau at work, every case made through the engine, so none of them can be impossible."""

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import click

from configuration import ROOT
from intake.check import INSTALLED_STANDARDS
from intake.standards import Catalogue
from web.cast import MARK, accounts_in_words
from web.commands import Installation, installation, wujian
from web.rehearsal.package import Package
from web.rehearsal.play import Play
from web.rehearsal.report import Report
from web.rehearsal.stage import JumpingClock, Stage
from web.rehearsal.together import JointPlay
from workflow.commands import ConfirmRows, CorrectionItem, RequestCorrection

PACKAGES = ROOT / "tests" / "corpus"


def _reviewed(play: Play) -> None:
    play.submit()
    play.accept()
    play.organise()


def _draft(play: Play) -> None:
    """Left as it is: the applicant goes on."""


def _corrected(play: Play) -> None:
    play.submit()
    play.take(
        "chuangkou",
        "request_correction",
        RequestCorrection(
            items=(
                CorrectionItem(
                    "固定场所文件",
                    "租赁合同未载明租赁期限，请补充。",
                    "《检验检测机构资质认定评审准则》第十条",
                ),
                CorrectionItem(
                    "附表4 检验检测人员表",
                    "授权签字人的职称证明与表中所填不一致，请核对。",
                    "《检验检测机构资质认定评审准则》第九条",
                ),
            )
        ),
    )


def _half_reviewed(play: Play) -> None:
    _reviewed(play)
    play.take(
        "pingshen1", "confirm_rows", ConfirmRows(rows=tuple(range(1, 61)), ways=("site_test", "records"))
    )


def _half_signed(play: Play) -> None:
    _reviewed(play)
    play.review()
    play.conclude()
    play.sign_off(play.report.application["departments"][:1])


def _to_decide(play: Play) -> None:
    _reviewed(play)
    play.review()
    play.conclude()
    play.sign_off(play.report.application["departments"])


def _to_print(play: Play) -> None:
    _to_decide(play)
    play.grant()
    play.stage.work_off()


def _together(play: Play) -> None:
    """Three licences on one review: one granted, one whose own line does not meet, one that is still awaited."""
    assert isinstance(play, JointPlay)
    play.submit()
    play.accept()
    play.nominate()
    play.organise()
    play.review()
    own = [(line.licence, line.department) for line in play.lines() if line.department]
    play.fail_own_line(own[-1][0])
    play.conclude()
    play.grant_licence(own[0][0])
    play.lines()


def _on_commitment(play: Play) -> None:
    play.commitment()
    play.issue()


TOGETHER = "together"  # not a track: the play of a joint application
# Package, track, how many working days ago it begins, and how far it comes.
SCENES: tuple[tuple[str, str, int, Callable[[Play], None]], ...] = (
    ("P05", "commitment", 24, _on_commitment),
    ("P02", "general", 22, _to_print),
    ("P04", "general", 20, _to_decide),
    ("P01", "general", 17, _half_signed),
    ("P07", "general", 12, _half_reviewed),
    ("P11", "general", 6, _corrected),
    ("P08", "general", 2, Play.submit),
    ("P10", "general", 1, _draft),
    ("P12", TOGETHER, 12, _together),
)


@wujian.command()
@installation
def demo(place: Installation) -> None:
    """Make a demonstration bureau with cases at every desk, once, and print its accounts."""
    house = place.house()
    if place.settings.is_production:
        raise click.ClickException("the demonstration has well-known passwords and is refused in production")
    if house.reference.setting(MARK) is None:
        _play(place)
        house.reference.put_setting(MARK, {"scenes": len(SCENES)})
    click.echo(accounts_in_words())


def _play(place: Installation) -> None:
    if not PACKAGES.is_dir():
        raise click.ClickException(
            f"the sample packages are not at {PACKAGES}; a demonstration needs a checkout"
        )
    catalogue, real = Catalogue.from_csv(INSTALLED_STANDARDS), place.house().database.clock
    clock = JumpingClock(real.today(), latest=real.now())
    logging.getLogger("wujian.jobs").setLevel(logging.WARNING)
    house = place.open_house(place.settings, clock=clock)
    calendar = house.laws.current().calendar
    stage = Stage(house, clock, place.work_off)
    for number, (name, track, ago, scene) in enumerate(SCENES, 1):
        click.echo(f"  {number}/{len(SCENES)} {name} ...")
        clock.set_back(calendar.nth_before(real.today() + timedelta(days=1), ago))
        part = JointPlay if track == TOGETHER else Play
        play = part(
            stage, Package.open(Path(PACKAGES / name), catalogue), Report(name, track), f"shenqing{number}"
        )
        play.register()
        play.enter_old_certificate()
        play.fill_in("general" if track == TOGETHER else track)
        scene(play)
    stage.work_off()
    stage.close()
