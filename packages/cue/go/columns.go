package main

import (
	"bytes"
	"unicode/utf8"
)

// columns turns CUE's columns, which count bytes, into what editors count: UTF-16 units.
type columns struct {
	view *View
	// lines of the files that were asked about.
	lines map[string][][]byte
}

func newColumns(view *View) *columns {
	return &columns{view, map[string][][]byte{}}
}

func (columns *columns) fix(position Position) Position {
	lines, ok := columns.lines[position.File]
	if !ok {
		lines = bytes.Split(columns.view.texts[position.File], []byte("\n"))
		columns.lines[position.File] = lines
	}
	if position.Line < 1 || position.Line > len(lines) || position.Column < 1 {
		return position
	}
	line := lines[position.Line-1]
	before := line[:min(position.Column-1, len(line))]
	position.Column = 1 + position.Column - 1 - len(before)
	for len(before) > 0 {
		letter, size := utf8.DecodeRune(before)
		before = before[size:]
		position.Column++
		if letter > 0xFFFF {
			position.Column++
		}
	}
	return position
}

func (columns *columns) fixFailure(failure *Failure) *Failure {
	for _, problem := range failure.Problems {
		for index, position := range problem.Positions {
			problem.Positions[index] = columns.fix(position)
		}
	}
	return failure
}
