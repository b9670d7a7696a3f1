"""x"""
from cluster.archive import ImageArchive
def find_base_archive() -> ImageArchive | None:
    """Return."""
    return None
