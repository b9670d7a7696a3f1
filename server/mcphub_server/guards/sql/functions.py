"""Which functions a statement may call, by name.

`known_names` comes from a real catalog; this module adds what that catalog cannot
tell: functions of later PostgreSQL releases and of extensions that are installed by
themselves. A function in neither is refused, for only its author knows what it does:
user-defined functions run with their owner's ideas, inside or outside the
transaction that protects the data.
"""

from mcphub_server.guards.sql.known_names import (
    CATALOG_FUNCTIONS,
    CATALOG_TYPES,
    EXTENSION_FUNCTIONS,
    REFUSED_CATALOG_FUNCTIONS,
    REFUSED_EXTENSION_FUNCTIONS,
)

SINCE_16 = frozenset(
    """
    any_value array_reverse array_sample array_shuffle array_sort casefold crc32 crc32c
    date_add date_subtract erf erfc gamma icu_unicode_version json_agg_strict
    json_array json_arrayagg json_exists json_object json_objectagg json_query
    json_scalar json_serialize json_value jsonb_agg_strict jsonb_object_agg_strict
    jsonb_object_agg_unique jsonb_object_agg_unique_strict
    jsonb_populate_record_valid json_object_agg_strict json_object_agg_unique
    json_object_agg_unique_strict lgamma pg_basetype pg_char_to_encoding pg_get_acl
    pg_input_error_info pg_input_is_valid pg_split_walfile_name random_normal
    system_user to_bin to_oct to_regtypemod unicode_assigned unicode_version
    uuid_extract_timestamp uuid_extract_version uuidv4 uuidv7 xmltext
    """.split()
)

PGVECTOR = frozenset(
    """
    array_to_halfvec array_to_sparsevec array_to_vector avg binary_quantize
    cosine_distance halfvec halfvec_to_float4 halfvec_to_sparsevec halfvec_to_vector
    hamming_distance inner_product jaccard_distance l1_distance l2_distance l2_norm
    l2_normalize sparsevec sparsevec_to_halfvec sparsevec_to_vector subvector sum vector
    vector_dims vector_norm vector_to_float4 vector_to_halfvec vector_to_sparsevec
    """.split()
)

TIMESCALE = frozenset(
    """
    approximate_row_count first histogram interpolate last locf time_bucket
    time_bucket_gapfill
    """.split()
)

# Vector geometry that only computes. Rasters, topology, AddGeometryColumn and the
# like read files, write catalogs or make tables, and stay out.
POSTGIS = frozenset(
    """
    box2d box3d find_srid geography geometry geometrytype geomfromewkb geomfromewkt
    postgis_full_version postgis_lib_version postgis_version
    st_3dclosestpoint st_3ddistance st_3ddwithin st_3dintersects st_3dlength
    st_3dmakebox st_3dmaxdistance st_3dperimeter st_addpoint st_affine st_angle st_area
    st_asbinary st_asewkb st_asewkt st_asgeojson st_asgml st_ashexewkb st_askml
    st_aslatlontext st_asmvt st_asmvtgeom st_assvg st_astext st_astwkb st_asx3d
    st_azimuth st_bdpolyfromtext st_boundary st_boundingdiagonal st_buffer
    st_buildarea st_centroid st_chaikinsmoothing st_clipbybox2d st_closestpoint
    st_clusterdbscan st_clusterintersecting st_clusterkmeans st_clusterwithin
    st_collect st_collectionextract st_collectionhomogenize st_combinebbox
    st_concavehull st_contains st_containsproperly st_convexhull st_coorddim
    st_coveredby st_covers st_cpawithin st_crosses st_curvetoline
    st_delaunaytriangles st_dfullywithin st_difference st_dimension st_disjoint
    st_distance st_distancecpa st_distancesphere st_distancespheroid st_dump
    st_dumppoints st_dumprings st_dumpsegments st_dwithin st_endpoint st_envelope
    st_equals st_estimatedextent st_expand st_extent st_exteriorring
    st_filterbym st_flipcoordinates st_force2d st_force3d st_force3dm st_force3dz
    st_force4d st_forcecollection st_forcecurve st_forcepolygonccw
    st_forcepolygoncw st_forcerhr st_forcesfs st_frechetdistance
    st_frombytes st_generatepoints st_geogfromtext st_geogfromwkb st_geographyfromtext
    st_geohash st_geomcollfromtext st_geometricmedian st_geometryfromtext
    st_geometryn st_geometrytype st_geomfromewkb st_geomfromewkt st_geomfromgeohash
    st_geomfromgeojson st_geomfromgml st_geomfromkml st_geomfromtext
    st_geomfromtwkb st_geomfromwkb st_hasarc st_hausdorffdistance st_hexagon
    st_hexagongrid st_interiorringn st_interpolatepoint st_intersection
    st_intersects st_isclosed st_iscollection st_isempty st_ispolygonccw
    st_ispolygoncw st_isring st_issimple st_isvalid st_isvaliddetail
    st_isvalidreason st_isvalidtrajectory st_length st_length2d st_lengthspheroid
    st_letters st_linecrossingdirection st_linefromencodedpolyline
    st_linefrommultipoint st_linefromtext st_linefromwkb st_lineinterpolatepoint
    st_lineinterpolatepoints st_linelocatepoint st_linemerge st_linesubstring
    st_linetocurve st_locatealong st_locatebetween st_locatebetweenelevations st_m
    st_makebox2d st_makeenvelope st_makeline st_makepoint st_makepointm
    st_makepolygon st_makevalid st_maxdistance st_maximuminscribedcircle
    st_memsize st_minimumboundingcircle st_minimumboundingradius
    st_minimumclearance st_minimumclearanceline st_mlinefromtext
    st_mpointfromtext st_mpolyfromtext st_multi st_multilinefromwkb
    st_multipointfromtext st_multipolygonfromtext st_ndims st_node st_normalize
    st_npoints st_nrings st_numgeometries st_numinteriorrings st_numpatches
    st_numpoints st_offsetcurve st_orderingequals st_orientedenvelope st_overlaps
    st_patchn st_perimeter st_point st_pointfromgeohash st_pointfromtext
    st_pointfromwkb st_pointinsidecircle st_pointm st_pointn st_pointonsurface
    st_points st_pointz st_pointzm st_polygon st_polygonfromtext st_polygonize
    st_project st_quantizecoordinates st_reduceprecision st_relate
    st_relatematch st_removepoint st_removerepeatedpoints st_reverse st_rotate
    st_rotatex st_rotatey st_rotatez st_scale st_segmentize st_seteffectivearea
    st_setpoint st_setsrid st_sharedpaths st_shiftlongitude
    st_shortestline st_simplify st_simplifypreservetopology st_simplifyvw
    st_snap st_snaptogrid st_split st_square st_squaregrid st_srid st_startpoint
    st_subdivide st_summary st_swapordinates st_symdifference st_tileenvelope
    st_touches st_transform st_translate st_transscale st_unaryunion st_union
    st_voronoilines st_voronoipolygons st_within st_wkbtosql st_wrapx st_x st_xmax
    st_xmin st_y st_ymax st_ymin st_z st_zmax st_zmflag st_zmin
    """.split()
)

# Named because a refusal that knows the name can say more, and because a refused
# function can hide as a field: ('/etc/passwd'::text).pg_read_file
REFUSED_ELSEWHERE = frozenset(
    """
    addgeometrycolumn connectby crosstab crosstab2 crosstab3 crosstab4 dblink
    dropgeometrycolumn dropgeometrytable http http_delete http_get http_head http_header
    http_list_curlopt http_patch http_post http_put http_reset_curlopt http_set_curlopt
    pgxml_encode plv8 updategeometrysrid xpath_table xslt_process
    """.split()
)

BUILT_IN = CATALOG_FUNCTIONS | CATALOG_TYPES | SINCE_16
EXTENSIONS = EXTENSION_FUNCTIONS | PGVECTOR | TIMESCALE | POSTGIS
REFUSED = REFUSED_CATALOG_FUNCTIONS | REFUSED_EXTENSION_FUNCTIONS | REFUSED_ELSEWHERE

COLUMN_PREFIXES = ("http_", "lo_")
SYSTEM_PREFIXES = ("pg_", "lo_", "dblink", "binary_upgrade_", "postgres_fdw_", "http_")


def is_call_as_field(name: str) -> bool:
    """Say whether `value.name` is sure to be a call: no table has such a column.

    Columns called http_status or lo_revenue are plenty, so of those exact names count.
    """
    return is_system_name(name) and (
        name in REFUSED or not name.startswith(COLUMN_PREFIXES)
    )


def is_system_name(name: str) -> bool:
    """Say whether an unlisted name is sure to be a function and not a column."""
    return name in REFUSED or (
        name.startswith(SYSTEM_PREFIXES) and name not in BUILT_IN
    )
