"""Where the boxes of a drawing stand and how its lines run: columns by the longest way from the start."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

Box = tuple[int, int, int, int]  # left, top, width, height, in the units of the diagram
Points = list[tuple[int, int]]
Line = tuple[str, str, str, bool]  # flow, from, to, whether words stand on it
MARGIN, ROW, LINE, SLOT, WORDS = 60, 76, 36, 9, 190


def layout(sizes: Mapping[str, tuple[int, int]], lines: list[Line]) -> tuple[dict[str, Box], dict[str, Points]]:
    """Boxes and right-angled routes. A line that leads back runs under the diagram, in a lane of its own."""
    column = _columns(sizes, lines)
    chains: dict[str, list[str]] = {}  # forward lines: the box, a bend in every column between, the box
    for flow, source, target, _ in lines:
        if column[source] < column[target]:
            bends = {f"{flow}/{n}": n for n in range(column[source] + 1, column[target])}
            column |= bends
            chains[flow] = [source, *bends, target]
    beside: dict[str, list[str]] = defaultdict(list)
    for chain in chains.values():
        for one, other in zip(chain, chain[1:], strict=False):
            beside[one].append(other)
            beside[other].append(one)
    rows: list[list[str]] = [[] for _ in range(max(column.values()) + 1)]
    for name, n in column.items():
        rows[n].append(name)
    tall = {name: sizes.get(name, (0, 0))[1] for name in column}
    rough = _heights(rows, beside, column, tall)
    for _ in range(3):
        _straighten([chain[1:-1] for chain in chains.values()], rows, rough, tall)
    top = min(rough[name] - tall[name] / 2 for name in rough)
    middle = {name: round(y - top) + MARGIN for name, y in rough.items()}
    widths = [max(sizes.get(name, (0, 0))[0] for name in row) for row in rows]
    used: list[list[str]] = [[] for _ in range(len(rows) + 1)]  # lines that turn in the gap left of a column
    for flow, source, target, _ in lines:
        here, there = column[source] + 1, column[target]
        for gap in range(here, there + 1) if flow in chains else (here, there):
            used[gap].append(flow)
    spoken = {column[source] + 1 for _, source, _, words in lines if words}
    left, x = [], MARGIN
    for gap, width in enumerate([*widths, 0]):
        x += 24 + SLOT * len(used[gap]) + (WORDS if gap in spoken else 12)
        left.append(x)
        x += width

    def turn(flow: str, gap: int) -> int:
        start = left[gap - 1] + widths[gap - 1] if gap else MARGIN
        return start + 12 + SLOT * used[gap].index(flow)

    boxes = {
        name: (left[column[name]] + (widths[column[name]] - w) // 2, middle[name] - h // 2, w, h)
        for name, (w, h) in sizes.items()
    }
    arriving: dict[str, list[str]] = defaultdict(list)
    for line in sorted(lines, key=lambda line: middle[chains.get(line[0], [line[1]])[-2:][0]]):
        arriving[line[2]].append(line[0])

    def door(flow: str, target: str) -> int:
        """Where a line arrives: those that arrive together at a task spread over its side."""
        among, high = arriving[target], sizes[target][1]
        apart = min(26, high // (len(among) + 1)) if high > 50 else 0
        return middle[target] + round((among.index(flow) - (len(among) - 1) / 2) * apart)

    lane = max(y + h for _, y, _, h in boxes.values()) + ROW
    routes: dict[str, Points] = {}
    for flow, source, target, _ in lines:
        x, y, at = boxes[source][0] + boxes[source][2], middle[source], column[source]
        route = [(x, y)]
        if flow in chains:
            for name in chains[flow][1:]:
                bend = turn(flow, column[name])
                onto = door(flow, target) if name == target else middle[name]
                route += [(bend, y), (bend, onto)]
                y = onto
        else:
            out, home, y = turn(flow, at + 1), turn(flow, column[target]), door(flow, target)
            route += [(out, middle[source]), (out, lane), (home, lane), (home, y)]
            lane += 2 * SLOT
        routes[flow] = [*route, (boxes[target][0], y)]
    return boxes, routes


def _columns(sizes: Iterable[str], lines: list[Line]) -> dict[str, int]:
    """The longest way from the start to each box, over the lines that do not close a circle."""
    onward: dict[str, list[str]] = defaultdict(list)
    for _, source, target, _ in lines:
        onward[source].append(target)
    order: list[str] = []
    open_: set[str] = set()
    forward: list[tuple[str, str]] = []

    def walk(name: str) -> None:
        open_.add(name)
        for target in onward[name]:
            if target not in open_:
                forward.append((name, target))
                if target not in order:
                    walk(target)
        open_.discard(name)
        order.append(name)

    for name in sizes:
        if name not in order:
            walk(name)
    column = dict.fromkeys(sizes, 0)
    for name in reversed(order):
        for target in (t for s, t in forward if s == name):
            column[target] = max(column[target], column[name] + 1)
    return column


def _heights(
    rows: list[list[str]], beside: Mapping[str, list[str]], column: Mapping[str, int], tall: Mapping[str, int]
) -> dict[str, float]:
    """The middle of every box and bend: near its neighbours, in an order that crosses few lines."""
    middle = {name: 100.0 * n for row in rows for n, name in enumerate(row)}
    for sweep in range(24):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            side = -1 if sweep % 2 == 0 else 1
            wish = {}
            for name in row:
                near = [middle[b] for b in beside.get(name, ()) if sweep > 15 or (column[b] - column[name]) * side > 0]
                wish[name] = sum(near) / len(near) if near else middle[name]
            if sweep <= 15:
                row.sort(key=lambda name: wish[name])
            floor, shift = float("-inf"), 0.0
            for name in row:
                middle[name] = max(wish[name], floor + tall[name] / 2)
                floor = middle[name] + tall[name] / 2 + (ROW if tall[name] else LINE)
                shift += wish[name] - middle[name]
            for name in row:
                middle[name] += shift / len(row)
    return middle


def _straighten(
    bends: list[list[str]], rows: list[list[str]], middle: dict[str, float], tall: Mapping[str, int]
) -> None:
    """Bends of one line at one height as far as the boxes and lines above and below leave room."""
    room: dict[str, tuple[float, float]] = {}
    for chain in bends:
        for row in (row for row in rows if set(row) & set(chain)):
            for above, name, below in zip([None, *row], row, [*row[1:], None], strict=False):
                high = middle[above] + tall[above] / 2 + LINE / 2 if above else float("-inf")
                low = middle[below] - tall[below] / 2 - LINE / 2 if below else float("inf")
                room[name] = (high, max(high, low))
        run: list[str] = []
        for name in [*chain, ""]:
            high = max((room[n][0] for n in (*run, name) if n), default=0)
            low = min((room[n][1] for n in (*run, name) if n), default=0)
            if name and high <= low:
                run.append(name)
                continue
            if run:
                high, low = max(room[n][0] for n in run), min(room[n][1] for n in run)
                wish = sorted(middle[n] for n in run)[len(run) // 2]
                middle.update(dict.fromkeys(run, min(max(wish, high), low)))
            run = [name] if name else []
