package main

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// Kind says what a path is.
type Kind int32

const (
	KindFile      Kind = 1
	KindDirectory Kind = 2
)

// Files is what the evaluator sees of the world. List gives lines of "f name" and "d name": everything, or only what
// packages are made of, *.cue and cue.mod.
type Files interface {
	Stat(path string) (Kind, error)
	Read(path string) ([]byte, error)
	List(path string, everything bool) ([]byte, error)
}

// View is the file system that the loader gets: the host's, with files of our own laid over it. A path below one
// of `hidden` is only what lies over it.
type View struct {
	files  Files
	own    map[string][]byte
	hidden []string
	// loaded: packages are loaded, and whoever lists a folder now looks for files to embed.
	loaded bool
	// texts of the files that were read.
	texts map[string][]byte
}

// NewView takes absolute paths of files. fs.FS paths have no leading slash; inside we keep it.
func NewView(files Files) *View {
	return &View{files: files, own: map[string][]byte{}, texts: map[string][]byte{}}
}

func (view *View) Put(path string, text []byte) { view.own[path] = text }

// Hide makes the host's own files below a folder invisible.
func (view *View) Hide(folder string) { view.hidden = append(view.hidden, folder+"/") }

func (view *View) isHidden(name string) bool {
	return slices.ContainsFunc(view.hidden, func(folder string) bool {
		return strings.HasPrefix(name+"/", folder)
	})
}

// ownEntries are the direct children of a folder among the files laid over it.
func (view *View) ownEntries(folder string) map[string]Kind {
	entries := map[string]Kind{}
	prefix := strings.TrimSuffix(folder, "/") + "/"
	for name := range view.own {
		rest, below := strings.CutPrefix(name, prefix)
		if !below {
			continue
		}
		first, _, deeper := strings.Cut(rest, "/")
		if deeper {
			entries[first] = KindDirectory
		} else {
			entries[first] = KindFile
		}
	}
	return entries
}

func (view *View) kind(name string) (Kind, error) {
	if _, ok := view.own[name]; ok {
		return KindFile, nil
	}
	if len(view.ownEntries(name)) > 0 {
		return KindDirectory, nil
	}
	if view.isHidden(name) {
		return 0, fs.ErrNotExist
	}
	return view.files.Stat(name)
}

func absolute(name string) string {
	if name == "." {
		return "/"
	}
	return "/" + name
}

func (view *View) Stat(name string) (fs.FileInfo, error) {
	kind, err := view.kind(absolute(name))
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: absolute(name), Err: err}
	}
	return entry{path.Base(name), kind, 0}, nil
}

func (view *View) ReadFile(name string) ([]byte, error) {
	full := absolute(name)
	if text, ok := view.own[full]; ok {
		return bytes.Clone(text), nil
	}
	if view.isHidden(full) {
		return nil, &fs.PathError{Op: "read", Path: full, Err: fs.ErrNotExist}
	}
	text, err := view.files.Read(full)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: full, Err: err}
	}
	view.texts[full] = text
	return text, nil
}

func (view *View) ReadDir(name string) ([]fs.DirEntry, error) {
	full := absolute(name)
	entries := view.ownEntries(full)
	if !view.isHidden(full) {
		listing, err := view.files.List(full, view.loaded)
		if err != nil && len(entries) == 0 {
			return nil, &fs.PathError{Op: "list", Path: full, Err: err}
		}
		for line := range strings.Lines(string(listing)) {
			kind := KindFile
			if line[0] == 'd' {
				kind = KindDirectory
			}
			child := strings.TrimSuffix(line[2:], "\n")
			if _, taken := entries[child]; !taken {
				entries[child] = kind
			}
		}
	}
	list := make([]fs.DirEntry, 0, len(entries))
	for child, kind := range entries {
		list = append(list, entry{child, kind, 0})
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, nil
}

func (view *View) Open(name string) (fs.File, error) {
	kind, err := view.kind(absolute(name))
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: absolute(name), Err: err}
	}
	if kind == KindDirectory {
		list, err := view.ReadDir(name)
		if err != nil {
			return nil, err
		}
		return &openDirectory{entry{path.Base(name), kind, 0}, list}, nil
	}
	text, err := view.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return &openFile{entry{path.Base(name), kind, int64(len(text))}, bytes.NewReader(text)}, nil
}

type entry struct {
	name string
	kind Kind
	size int64
}

func (e entry) Name() string               { return e.name }
func (e entry) Size() int64                { return e.size }
func (e entry) ModTime() time.Time         { return time.Time{} }
func (e entry) IsDir() bool                { return e.kind == KindDirectory }
func (e entry) Sys() any                   { return nil }
func (e entry) Type() fs.FileMode          { return e.Mode().Type() }
func (e entry) Info() (fs.FileInfo, error) { return e, nil }
func (e entry) Mode() fs.FileMode {
	if e.IsDir() {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

type openFile struct {
	info entry
	*bytes.Reader
}

func (file *openFile) Stat() (fs.FileInfo, error) { return file.info, nil }
func (file *openFile) Close() error               { return nil }

type openDirectory struct {
	info entry
	list []fs.DirEntry
}

func (directory *openDirectory) Stat() (fs.FileInfo, error) { return directory.info, nil }
func (directory *openDirectory) Close() error               { return nil }
func (directory *openDirectory) Read([]byte) (int, error)   { return 0, fs.ErrInvalid }
func (directory *openDirectory) ReadDir(count int) ([]fs.DirEntry, error) {
	list := directory.list
	if count > 0 {
		if len(list) == 0 {
			return nil, io.EOF
		}
		list = list[:min(count, len(list))]
	}
	directory.list = directory.list[len(list):]
	return list, nil
}
