"""Where the embedded servers keep their data."""

import shutil
from pathlib import Path

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


def test_a_home_with_a_long_name_has_its_socket_elsewhere() -> None:
    home = Path("/srv/demo")
    assert embedded._sockets(home) == home
    places = {embedded._sockets(home / (60 * name)) for name in ("ab", "cd")}
    assert len(places) == 2
    assert all(len(str(place)) <= embedded.SOCKET_FOLDER for place in places)
