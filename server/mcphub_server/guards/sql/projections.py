"""Coordinate systems that PostGIS is given as a text.

PROJ takes files from such a text: `+nadgrids=/path` opens it as a grid,
`+init=/path:name` reads a definition from it, WKT can hold both. The server's files are
not a caller's to read, and opening a named pipe is a call that no timeout stops. So a
text is a plain constant in which every word is known; a number names a row of
spatial_ref_sys instead.
"""

import re
from collections.abc import Iterator
from typing import Any

from mcphub_server.errors import Rejected
from mcphub_server.guards.sql.tree import read_names

PROJECTING = frozenset(
    """
    postgis_transform_geometry postgis_transform_pipeline_geometry st_transform
    st_inversetransformpipeline st_transformpipeline
    """.split()
)

_AUTHORITY = r"(?:EPSG|ESRI|IAU_\d{4}|IGNF|NKG|OGC)"
_CODE = re.compile(
    rf"(?i)(?:urn:ogc:def:(?:crs|coordinateOperation):)?{_AUTHORITY}(?::[\w.]*)?:\w+"
)
_KEYS = frozenset(
    """
    R R_A R_V R_a R_g R_h R_lat_a R_lat_g W a algo alpha approx axis azi b czech datum
    e ellps es exact f gamma geoc guam h inv k k_0 lat_0 lat_1 lat_2 lat_3 lat_b lat_ts
    lon_0 lon_1 lon_2 lon_3 lon_wrap lonc m n no_cut no_defs no_off no_rot no_uoff
    north_square ns o_alpha o_lat_1 o_lat_2 o_lat_c o_lat_p o_lon_1 o_lon_2 o_lon_c
    o_lon_p o_proj omit_fwd omit_inv order over path pm proj rf sin south south_square
    step sweep t_in t_out theta tilt title to_meter towgs84 type units v_1 v_2 v_3
    vto_meter vunits wktext x_0 xy_in xy_out y_0 z_in z_out zone
    """.split()
)
_WORD = re.compile(r"\+?(?P<key>\w+)(?:=(?P<value>[\w.,:+-]+))?")
_HARMLESS = frozenset({"nadgrids=@null"})
_INTEGERS = frozenset({"int2", "int4", "int8"})
_SYSTEM_OF = frozenset({"find_srid", "st_srid"})


def check_projection(arguments: Any) -> None:
    """Refuse a coordinate system that may name a file."""
    for node in _list_systems(arguments or ()):
        if not (_is_number(node) or _is_plain(_find_text(node))):
            raise Rejected(
                "read-only/projection",
                "A coordinate system that is given as a text can name a file of the"
                " database server.",
                "Give its number, with a cast unless it is a constant: 3857, srid::int,"
                " $1::int; or a plain string such as 'EPSG:3857'.",
            )


def _list_systems(arguments: Any) -> Iterator[Any]:
    """Yield every argument but the geometry."""
    for position, node in enumerate(arguments):
        if type(node).__name__ == "NamedArgExpr":
            if node.name not in {"g", "geom"}:
                yield node.arg
        elif position:
            yield node


def _is_number(node: Any) -> bool:
    kind = type(node).__name__
    if kind == "A_Const":
        return getattr(node.val, "ival", None) is not None
    if kind == "TypeCast":
        return read_names(node.typeName.names)[-1] in _INTEGERS
    if kind == "FuncCall":
        return read_names(node.funcname)[-1] in _SYSTEM_OF
    return False


def _find_text(node: Any) -> str | None:
    if type(node).__name__ == "TypeCast":
        node = node.arg
    text = getattr(getattr(node, "val", None), "sval", None)
    return text if isinstance(text, str) else None


def _is_plain(text: str | None) -> bool:
    if text is None:
        return False
    if _CODE.fullmatch(text.strip()):
        return True
    return all(map(_is_known_word, text.split()))


def _is_known_word(word: str) -> bool:
    plain = word.removeprefix("+")
    if plain in _HARMLESS:
        return True
    if plain.startswith("init="):
        return _CODE.fullmatch(plain.removeprefix("init=")) is not None
    match = _WORD.fullmatch(word)
    return match is not None and match["key"] in _KEYS
