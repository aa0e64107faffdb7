"""Where the embedded servers keep their data."""

import shutil

from saas import embedded


def test_data_goes_with_the_checkout_it_belongs_to(tmp_path) -> None:
    home = tmp_path / "var" / "demo"
    kept = embedded.writable_home(home) / "data"
    kept.write_text("rows")
    assert (embedded.writable_home(home) / "data").exists()

    shutil.rmtree(home)

    place = embedded.writable_home(home)
    assert not (place / "data").exists()
    place.rmdir()
