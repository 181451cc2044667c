"""The labeler's signing key, where the config or the environment says it is."""

from labeler import keys
from models.protocol.k256 import PrivateKey
from plainsky.config.schema import Config
from plainsky.errors import OperatorError


def signing_key(config: Config) -> PrivateKey:
    """The key of a config that has a labeler. OperatorError when there is none, or it must not be used."""
    assert config.labeler
    try:
        if config.labeler.key:
            return keys.parse(config.labeler.key, "PLAINSKY_LABELER_KEY")
        return keys.load(config.labeler.key_file)
    except keys.KeyFileError as error:
        raise OperatorError(f"[labeler]: {error}") from error
