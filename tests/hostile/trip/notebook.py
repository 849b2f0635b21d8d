"""A notebook in place of the file: deep, large, with markup as output and a program as its name of a kernel.

Says: target.ipynb is nested deeper than any notebook
"""

from pathlib import Path


def build(folder: Path) -> None:
    (folder / "vault").mkdir(parents=True)
    cell = '{"cell_type": "code", "source": "<script>hostile()</script>", "metadata": {}, "outputs": [], "execution_count": 1}'
    deep = '{"metadata": ' * 50_000 + "1" + "}" * 50_000
    text = f'{{"nbformat": 4, "nbformat_minor": 5, "metadata": {deep}, "cells": [{",".join([cell] * 20_000)}]}}'
    (folder / "vault" / "target.ipynb").write_text(text)
