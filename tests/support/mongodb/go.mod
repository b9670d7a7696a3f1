// Pins FerretDB, which speaks MongoDB's wire protocol: the tests' double of a MongoDB.
module mcphub.test/mongodb

go 1.26.4

require github.com/FerretDB/FerretDB v1.24.2
