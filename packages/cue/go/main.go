// The evaluator that runs inside the host's process as WebAssembly: it loads a CUE package through the host's
// file system functions (it has no other access to anything), validates it, and hands back JSON with what
// plain JSON loses: positions, references, attributes.
package main

import (
	"encoding/json"
	"runtime/debug"
	"unsafe"
)

func main() {}

// request holds the bytes that the host is about to fill in; a global, so that the collector leaves it alone.
var request []byte

//go:wasmexport allocate
func allocate(size uint32) unsafe.Pointer {
	request = make([]byte, max(size, 1))
	return unsafe.Pointer(&request[0])
}

//go:wasmexport evaluate
func evaluate() {
	var asked Request
	if err := json.Unmarshal(request, &asked); err != nil {
		giveResult([]byte(`{"failure":{"kind":"internal","problems":[{"message":"malformed request"}]}}`))
		return
	}
	request = nil
	limitMemory(asked.MemoryBytes)
	giveResult(Evaluate(asked, hostFiles{}))
}

// limitMemory tells the collector of the ceiling, where the module dies: it must work harder before. Far below, it need not work
// (GOGC=800 in preinitialise.mjs): it would run for a quarter of a large evaluation's time (200 tasks: 640 ms, 470 without it).
func limitMemory(ceiling int64) {
	debug.SetMemoryLimit(ceiling / 5 * 4)
}

// Request is one evaluation. Paths are absolute, with forward slashes.
type Request struct {
	Directory string `json:"directory"`
	// Root is the module root: an ancestor of Directory, or Directory itself.
	Root string `json:"root"`
	// Package is the package's name, or "" for the default.
	Package string `json:"package"`
	// Schema holds the files of our own schema: path below the schema module -> text.
	Schema map[string]string `json:"schema"`
	// Validate adds our schema to the package's own constraints.
	Validate bool `json:"validate"`
	// OutputBytes is the most that may be handed back.
	OutputBytes int `json:"outputBytes"`
	// MemoryBytes is the ceiling of the module's memory.
	MemoryBytes int64 `json:"memoryBytes"`
}
