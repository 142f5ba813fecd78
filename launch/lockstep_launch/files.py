"""Files that are replaced whole."""

import os

from .script import Failure


def replace_file(path, content):
    """Replaces the file: it is the old one or the new one at any moment. content: a text, as UTF-8, or bytes."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    if isinstance(content, str):
        content = content.encode("utf-8", errors="replace")
    try:
        with open(new, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise Failure(2, f"{path}: cannot be written: {error.strerror}") from None
