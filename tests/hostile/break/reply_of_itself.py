"""Returns lists that hold themselves, a dict that does, and nesting without an end."""


def row_softmax(x):
    circle, table = [x], {}
    circle.append(circle)
    table["x"] = table
    deep = x
    for _ in range(200_000):
        deep = (deep,)
    return [circle, table, deep][x.ndim % 3]


def guess():
    circle = []
    circle.append(circle)
    return circle
