//go:build peer

// Names bazel-remote itself, so that its dependencies are in go.sum and `go build github.com/buchgr/bazel-remote/v2` works here.
package main

import _ "github.com/buchgr/bazel-remote/v2"
