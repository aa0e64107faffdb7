"""What can go wrong. Every message says what is wrong, where, and what to do about it."""


class ModelError(Exception):
    """The root: catching it catches whatever `ml` raises on purpose."""


class DataError(ModelError):
    """The caller's data cannot be used: no examples, unequal lengths, not finite numbers."""


class WeightsError(ModelError):
    """The weights of an encoder cannot be found, fetched or read."""


class ArtifactError(ModelError):
    """A saved model is missing, damaged or of another kind, or it could not be written."""


class EngineError(ModelError):
    """The engine could not answer this request."""


class EngineBusy(EngineError):
    """The engine's queue is full. Try again in a moment."""


class EngineTimeout(EngineError):
    """The engine did not answer within the time the caller gave it."""


class EngineClosed(EngineError):
    """The engine was closed."""
