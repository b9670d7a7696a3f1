"""The version of the server, as installed or as the image was built."""

from importlib import metadata

DISTRIBUTION = "mcphub"


def find_version() -> str:
    """Return the distribution's version; `0.0.0` where only the folder was copied."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "0.0.0"
