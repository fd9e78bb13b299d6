#!/bin/sh
# Generates Sources/KiteQWire/Protobuf/kiteq.pb.swift from kiteq.proto. The result is committed: building KiteQ does not
# need protoc. Needs protoc 3.21 or newer (apt-get install protobuf-compiler). The plugin is built from the very
# swift-protobuf that Package.swift resolves to, so that generated code and library match.
set -eu
cd "$(dirname "$0")/.."

command -v protoc > /dev/null || {
    echo "protoc is missing: apt-get install protobuf-compiler" >&2
    exit 1
}

swift package resolve
checkout=.build/checkouts/swift-protobuf
plugins=$PWD/.build/protoc-gen-swift
echo "Building protoc-gen-swift (one to two minutes the first time)"
swift build -c release --product protoc-gen-swift --package-path "$checkout" --scratch-path "$plugins"

folder=Sources/KiteQWire/Protobuf
protoc --plugin=protoc-gen-swift="$plugins/release/protoc-gen-swift" \
    --proto_path="$folder" \
    --swift_opt=Visibility=Package,UseAccessLevelOnImports=true \
    --swift_out="$folder" kiteq.proto
echo "Wrote $folder/kiteq.pb.swift"
