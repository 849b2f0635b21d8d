"""Ends by SystemExit with status 0, by way of an exception group too."""


def row_softmax(x):
    if x.numel() == 35:
        raise SystemExit(0)
    raise BaseExceptionGroup("done", [SystemExit(0), GeneratorExit()])


def guess():
    raise GeneratorExit
