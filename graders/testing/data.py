"""The small real data sets that exercises share."""

from pathlib import Path

import numpy as np


def load_data(name: str) -> dict[str, np.ndarray]:
    """Arrays of `exercises/data/<name>.npz` (or of `data/` in a released folder) by their names."""
    for base in Path(__file__).resolve().parents:
        for folder in (base / "exercises" / "data", base / "data"):
            if (folder / f"{name}.npz").is_file():
                with np.load(folder / f"{name}.npz", allow_pickle=False) as archive:
                    return {key: archive[key] for key in archive.files}
    raise FileNotFoundError(f"no data set {name}.npz beside the exercises: restore exercises/data/ from the repository")
