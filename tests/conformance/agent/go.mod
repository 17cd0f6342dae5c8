module procession.test/agent

go 1.26.0

require github.com/DataDog/agent-payload/v5 v5.0.215

require (
	github.com/DataDog/mmh3 v0.0.0-20200805151601-30884ca2197a // indirect
	github.com/DataDog/zstd v1.4.8 // indirect
	github.com/gogo/protobuf v1.3.2 // indirect
	github.com/klauspost/compress v1.20.1 // indirect
	google.golang.org/protobuf v1.36.11 // indirect
)
