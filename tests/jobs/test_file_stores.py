"""The same jobs with the files in an S3 bucket, by configuration alone."""

from pdf.reading import embedded_record
from store.certificates import CertificateStore
from store.files import FileStore


def test_a_certificate_is_rendered_into_a_bucket_and_read_back_whole(cma_case, make_workshop, s3, database, tmp_path):
    import configuration
    from jobs.worker import Worker

    settings = configuration.load(var=tmp_path, **s3.settings())
    options = {k: v for k, v in settings.file_store_options.items() if k != "virtual_hosted_style_request"}
    workshop = make_workshop(files=FileStore(settings.file_store, **options))
    hand = cma_case("granted")
    worker = Worker(workshop, "test", kinds=("render_certificate",))
    worker.drain()
    workshop.queue.add("render_certificate", {}, hand.id)
    worker.drain()
    held = CertificateStore(database).find(number=hand.file.case.fact("certificate_number"))
    [edition] = workshop.certificates.editions(held.id)
    assert list(workshop.files.digests()) == [edition.sha256]
    assert embedded_record(workshop.files.get(edition.sha256))[0].number == held.number
