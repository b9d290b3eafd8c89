//go:build wasip1

package main

import (
	"io/fs"
	"unsafe"
)

//go:wasmimport cuenv stat
func hostStat(path string) int32

//go:wasmimport cuenv read
func hostRead(path string) int32

// hostList lists what packages are made of (*.cue, cue.mod), or everything.
//
//go:wasmimport cuenv list
func hostList(path string, everything uint32) int32

// hostTake copies what the last read or list found to the given place.
//
//go:wasmimport cuenv take
func hostTake(to unsafe.Pointer)

//go:wasmimport cuenv result
func hostResult(from unsafe.Pointer, size uint32)

// What the host answers instead of a size or a kind.
const (
	answerMissing = -1
	answerRefused = -2
)

type hostFiles struct{}

func (hostFiles) Stat(path string) (Kind, error) {
	answer := hostStat(path)
	return Kind(answer), answered(answer)
}

func (hostFiles) Read(path string) ([]byte, error) { return taken(hostRead(path)) }

func (hostFiles) List(path string, everything bool) ([]byte, error) {
	if everything {
		return taken(hostList(path, 1))
	}
	return taken(hostList(path, 0))
}

func taken(answer int32) ([]byte, error) {
	if err := answered(answer); err != nil {
		return nil, err
	}
	bytes := make([]byte, max(answer, 1))
	hostTake(unsafe.Pointer(&bytes[0]))
	return bytes[:answer], nil
}

func answered(answer int32) error {
	switch {
	case answer >= 0:
		return nil
	case answer == answerMissing:
		return fs.ErrNotExist
	default:
		return fs.ErrPermission
	}
}

func giveResult(bytes []byte) {
	hostResult(unsafe.Pointer(&bytes[0]), uint32(len(bytes)))
}
