"""Images, documents, sound and video in messages: how many bytes they are, and files named in place of their base64.

Wherever an API's form has base64 or a data URL, a payload line may say `{"file": "PATH"}`, PATH being looked up from the
payload file's folder. It is read once, when the payload is.
"""

import base64
import mimetypes
import pathlib
import typing

#: what holds no media: a tool's input or JSON result may have keys of these names
_NOT_MEDIA = frozenset(("input", "json", "arguments"))
#: a file's ending -> its media type, where the table that Python comes with differs between systems
_TYPES = {".webp": "image/webp", ".md": "text/markdown", ".csv": "text/csv", ".wav": "audio/wav", ".docx": (
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
)}  # fmt: skip


def media_bytes(messages: list) -> int | None:
    """Bytes of all media in messages, decoded; None where there are none. What is named by an address counts nothing."""
    sizes = list(_sizes(messages))
    return sum(sizes) if sizes else None


def _sizes(value: typing.Any) -> typing.Iterator[int]:
    """Of every piece in messages."""
    if isinstance(value, list):
        for inner in value:
            yield from _sizes(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str):
                yield from _of_text(key, inner, value)
            elif key == "source" and isinstance(inner, dict) and isinstance(inner.get("text"), str):
                yield len(inner["text"].encode())  # a document of Converse's, as text
            elif key not in _NOT_MEDIA:
                yield from _sizes(inner)


def _of_text(key: str, text: str, holder: dict) -> typing.Iterator[int]:
    """Of Converse's `bytes`, Anthropic's `data`, OpenAI's sound, files and data URLs; of any other text nothing."""
    if text.startswith("data:"):
        if key in ("url", "image_url", "file_data"):
            yield _decoded(text.partition(",")[2])
    elif key == "data" and holder.get("type") == "text":
        yield len(text.encode())
    elif key in ("bytes", "file_data") or (key == "data" and (holder.get("type") == "base64" or "format" in holder)):
        yield _decoded(text)


def _decoded(text: str) -> int:
    return len(text.rstrip("=")) * 3 // 4


def with_files(messages: typing.Any, folder: pathlib.Path) -> tuple[typing.Any, list[pathlib.Path]]:
    """Messages with every named file's bytes in its place, and the files. Raises ValueError for one that cannot be read."""
    files: list[pathlib.Path] = []
    return _filled(messages, "", {}, folder, files), files


def _filled(value: typing.Any, key: str, holder: dict, folder: pathlib.Path, files: list[pathlib.Path]) -> typing.Any:
    if isinstance(value, list):
        return [_filled(inner, key, holder, folder, files) for inner in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"file"} and isinstance(value["file"], str):
        path = folder / value["file"]
        try:
            data = path.read_bytes()
        except OSError as e:
            raise ValueError(
                f"the file `{path}` cannot be read ({e.strerror}); paths are from the payload's folder"
            ) from None
        if not data:
            raise ValueError(f"the file `{path}` is empty; name another")
        files.append(path)
        return _in_form(key, holder, path, base64.b64encode(data).decode())
    return {k: v if k in _NOT_MEDIA else _filled(v, k, value, folder, files) for k, v in value.items()}


def _in_form(key: str, holder: dict, path: pathlib.Path, text: str) -> typing.Any:
    """A file's base64 as it stands under a key in each API's form."""
    media_type = _TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    data_url = f"data:{media_type};base64,{text}"
    match key:
        case "source":  # Anthropic's blocks name their type, Converse's do not
            if "type" not in holder:
                return {"bytes": text}
            if media_type == "text/plain":
                return {"type": "text", "media_type": media_type, "data": base64.b64decode(text).decode()}
            return {"type": "base64", "media_type": media_type, "data": text}
        case "input_audio":
            return {"data": text, "format": path.suffix.lower().lstrip(".")}
        case "file":
            return {"filename": path.name, "file_data": data_url}
        case "image_url" | "file_data" if str(holder.get("type")).startswith("input_"):  # OpenAI's Responses
            return data_url
        case "image_url" | "video_url" | "audio_url":
            return {"url": data_url}
    raise ValueError(
        f'`{{"file": "{path.name}"}}` stands under `{key}`, where no API has a file; see payloads/README.md'
    )
