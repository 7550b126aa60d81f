"""Draw the pictures of the documents: `make pictures`."""

from pathlib import Path

import amigrad as ag


def line() -> ag.Drawing:
    """The cost of the line y = wx + b on three examples, with the gradient at every variable."""
    x = ag.tensor([1.0, 5.0, 6.0], name="x")
    data = ag.tensor([0.0, 16.0, 20.0], name="ŷ")
    w = ag.parameter(2.0, name="w")
    b = ag.parameter(2.0, name="b")
    o = w * x
    y = o + b
    d = y - data
    c = d * d
    C = ag.sum(c)  # noqa: N806
    ag.graph(C).backward()
    return ag.draw(C, names={"o": o, "y": y, "d": d, "c": c, "C": C})


if __name__ == "__main__":
    print(line().save(Path(__file__).parent / "line.svg"))
