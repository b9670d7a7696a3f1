"""The words of MongoDB that only read: stages, operators and variables.

An allow-list. What is missing here runs JavaScript ($where, $function, $accumulator),
writes ($out, $merge), shows what other clients do ($currentOp, $listSessions) or is
newer than this list.
"""

STAGES = frozenset(
    """
    $addFields $bucket $bucketAuto $count $densify $facet $fill $geoNear $graphLookup
    $group $limit $listSearchIndexes $lookup $match $project $redact $replaceRoot
    $replaceWith $sample $search $searchMeta $set $setWindowFields $skip $sort
    $sortByCount $unionWith $unset $unwind $vectorSearch
    """.split()
)

_QUERY = """
$all $and $bitsAllClear $bitsAllSet $bitsAnyClear $bitsAnySet $box $caseSensitive
$center $centerSphere $comment $diacriticSensitive $elemMatch $eq $exists $expr
$geoIntersects $geoWithin $geometry $gt $gte $in $jsonSchema $language $lt $lte
$maxDistance $meta $minDistance $mod $ne $near $nearSphere $nin $nor $not $options $or
$polygon $rand $regex $sampleRate $search $size $text $type
"""

_EXPRESSIONS = """
$abs $acos $acosh $add $allElementsTrue $anyElementTrue $arrayElemAt $arrayToObject
$asin $asinh $atan $atan2 $atanh $avg $binarySize $bitAnd $bitNot $bitOr $bitXor
$bsonSize $ceil $cmp $concat $concatArrays $cond $convert $cos $cosh $dateAdd $dateDiff
$dateFromParts $dateFromString $dateSubtract $dateToParts $dateToString $dateTrunc
$dayOfMonth $dayOfWeek $dayOfYear $degreesToRadians $divide $exp $filter $first $firstN
$floor $getField $hour $ifNull $indexOfArray $indexOfBytes $indexOfCP $isArray $isNumber
$isoDayOfWeek $isoWeek $isoWeekYear $last $lastN $let $literal $ln $log $log10 $ltrim
$map $max $maxN $mergeObjects $millisecond $min $minN $minute $month $multiply
$objectToArray $pow $radiansToDegrees $range $reduce $regexFind $regexFindAll
$regexMatch $replaceAll $replaceOne $reverseArray $round $rtrim $second $setDifference
$setEquals $setField $setIntersection $setIsSubset $setUnion $sin $sinh $slice
$sortArray $split $sqrt $stdDevPop $stdDevSamp $strcasecmp $strLenBytes $strLenCP
$substr $substrBytes $substrCP $subtract $sum $switch $tan $tanh $toBool $toDate
$toDecimal $toDouble $toHashedIndexKey $toInt $toLong $toLower $toObjectId $toString
$toUpper $toUUID
$trim $trunc $tsIncrement $tsSecond $unsetField $week $year $zip
"""

_ACCUMULATORS = """
$addToSet $bottom $bottomN $count $covariancePop $covarianceSamp $denseRank $derivative
$documentNumber $expMovingAvg $integral $linearFill $locf $median $minMaxScaler
$percentile $push $rank $shift $top $topN
"""

_VALUES = """
$base64 $binary $date $maxKey $minKey $numberDecimal $numberDouble $numberInt
$numberLong $oid $regularExpression $subType $timestamp $uuid
"""
"""Extended JSON; not $code, $ref and what MongoDB has given up."""

OPERATORS = frozenset(" ".join((_QUERY, _EXPRESSIONS, _ACCUMULATORS, _VALUES)).split())

VARIABLES = frozenset(
    "CLUSTER_TIME CURRENT DESCEND KEEP NOW PRUNE REMOVE ROOT SEARCH_META".split()
)
"""System variables; a pipeline's own ones begin with a small letter. Missing is
USER_ROLES, which shows how the hub's user is set up."""
