"""Recorded scrapes: one after the other in a text, each headed by its time and how it was answered."""

import re
from collections.abc import Iterator, Mapping, Sequence

from paramedic.model.sample import Scrape
from paramedic.signals.exposition import Parser

HEAD = re.compile(r"^#+ t=(?P<t>[\d.]+)\S*(?: unix=(?P<unix>[\d.]+))?(?P<rest>.*)$")
ANSWERED = re.compile(r"status=200|/metrics 200")


def engine_scrapes(lines: Sequence[str], labels: Mapping[str, str]) -> Iterator[Scrape]:
    """Each look at the engine's metrics; the first that was not answered ends its series, as in a live watch."""
    parser = Parser(labels)
    source = f"engine:{labels['target']}"
    at, answered, alive, page = 0, False, False, list[str]()
    for line in (*lines, "# t=0 end"):
        head = HEAD.match(line)
        if head is None:
            page.append(line)
            continue
        if at and answered and page:
            read = parser.parse("\n".join(page).encode())
            yield Scrape(source, at, read.series, read.values)
            alive = True
        elif alive and not answered:
            alive = False
            yield Scrape(source, at, (), ())
        at, answered, page = round(float(head["unix"] or head["t"]) * 1e9), bool(ANSWERED.search(line)), []
