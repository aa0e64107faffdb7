"""`make demo`: the whole product on this machine, shown once and then served until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import ExitStack
from types import FrameType

from saas.demo import laptop
from saas.embedded import EmbeddedError


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="exit after the show")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--name", default="demo", help="folder below var/ that keeps its data")
    options = parser.parse_args()
    for end in (
        signal.SIGTERM,
        signal.SIGINT,
    ):  # a shell may have told its children to ignore these
        signal.signal(end, _interrupt)
    with ExitStack() as running:
        try:
            show_and_serve(running, options)
        except KeyboardInterrupt:
            print("\nStopping.")
        except (EmbeddedError, laptop.DemoError) as error:
            print(f"\n{error}", file=sys.stderr)
            return 1
    return 0


def show_and_serve(running: ExitStack, options: argparse.Namespace) -> None:
    site = laptop.start(running, port=options.port, name=options.name)
    from saas.demo import seed, show  # Django is set up now

    businesses = seed.everything(site)
    show.everything(site, businesses)
    if not options.once:
        print("\nServing until Ctrl-C.", flush=True)
        site.wait()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
