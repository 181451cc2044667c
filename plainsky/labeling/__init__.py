"""What the labeler does in a running service beside judging posts; `running` holds it together."""

from labeler.gate import Gate
from labeler.judge import Judge, Saw
from labeler.signals import Given
from plainsky.config.hashing import config_hash
from plainsky.config.schema import Config


def judge_of(config: Config, given: Given, gate: Gate | None = None, saw: Saw | None = None) -> Judge | None:
    """Judges by the config's labels, what signals may ask and what people found of it; None without a labeler. `saw` as of `Judge`."""
    return Judge(config.labels, gate, {"config": config_hash(config)}, given, saw) if config.labeler else None
