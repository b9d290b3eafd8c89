package main

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
	"cuelang.org/go/mod/modfile"
)

// The file that makes our schema part of the package. Its name sorts last and cannot be a file of the user's.
const constraintFile = "\U0010FFFFcuenv.cue"

// The module file of a project that has none, so that imports of our schema work there as well.
const ownModuleFile = `module: "project.` + schemaModule + `@v0"
language: version: "v0.14.0"
`

// loaded is a package that is ready to be evaluated.
type loaded struct {
	instance *build.Instance
	// packageName is "_" for a file without a package clause.
	packageName string
	unknown     map[string][]string
}

func loadPackage(request Request, view *View) (*loaded, *Failure) {
	rewriter := layOver(view, request)
	name, file, failure := choosePackage(view, request)
	if failure != nil {
		return nil, failure
	}
	config := &load.Config{
		FS:                  view,
		Dir:                 request.Directory,
		ModuleRoot:          request.Root,
		AcceptLegacyModules: true,
		Env:                 []string{},
		Registry:            closedRegistry{},
		ParseFile:           rewriter.parseFile,
	}
	arguments := []string{"."}
	if file != "" {
		arguments = []string{"./" + file}
	} else {
		config.Package = name
	}
	if request.Validate {
		clause := ""
		if file == "" {
			clause = "package " + name + "\n"
		} else {
			arguments = append(arguments, "./"+constraintFile)
		}
		text := clause + "import cuenv_internal \"" + schemaModule + "/base\"\ncuenv_internal.#File\n"
		view.Put(path.Join(request.Directory, constraintFile), []byte(text))
	}
	instances := load.Instances(arguments, config)
	view.loaded = true
	if len(instances) != 1 {
		return nil, failf("package", "%d packages match", len(instances))
	}
	if err := instances[0].Err; err != nil {
		return nil, loadFailure(err, request)
	}
	return &loaded{instances[0], name, rewriter.unknown}, nil
}

// layOver puts our schema, and a module file where there is none, over the project.
func layOver(view *View, request Request) *importRewriter {
	moduleFolder := path.Join(request.Root, "cue.mod")
	moduleFile := path.Join(moduleFolder, "module.cue")
	if text, err := view.files.Read(moduleFile); err == nil {
		if !namesModule(text) {
			view.Put(moduleFile, []byte(ownModuleFile))
		} else if fixed := modernised(text, moduleFile); fixed != nil {
			view.Put(moduleFile, fixed)
		}
	} else if kind, err := view.files.Stat(moduleFolder); err != nil || kind == KindDirectory {
		view.Put(moduleFile, []byte(ownModuleFile))
	}
	rewriter := &importRewriter{
		known:   map[string]map[string]bool{},
		unknown: map[string][]string{},
		isHere:  func(importPath string) bool { return isHere(view, request.Root, importPath) },
		opens:   request.Validate,
	}
	for _, kind := range []string{"pkg", "gen", "usr"} {
		view.Hide(path.Join(moduleFolder, kind, schemaModule))
	}
	schemaFolder := path.Join(moduleFolder, "pkg", schemaModule)
	for _, name := range slices.Sorted(maps.Keys(request.Schema)) {
		text := []byte(request.Schema[name])
		view.Put(path.Join(schemaFolder, name), text)
		folder := path.Dir(name)
		if rewriter.known[folder] == nil {
			rewriter.known[folder] = map[string]bool{}
		}
		for _, label := range definitions(text) {
			rewriter.known[folder][label] = true
		}
	}
	rewriter.defineUnknown = func(folder string, labels []string) {
		var text strings.Builder
		fmt.Fprintf(&text, "package %s\n", path.Base(folder))
		for _, label := range labels {
			fmt.Fprintf(&text, "%s: *{...} | _\n", label)
		}
		view.Put(path.Join(schemaFolder, folder, "unknown.cue"), []byte(text.String()))
	}
	return rewriter
}

// isHere reports whether an import path leads to a folder of the module itself, or of what lies in cue.mod.
func isHere(view *View, root, importPath string) bool {
	moduleFolder := path.Join(root, "cue.mod")
	folders := []string{}
	for _, kind := range []string{"pkg", "gen", "usr"} {
		folders = append(folders, path.Join(moduleFolder, kind, importPath))
	}
	if text, err := view.ReadFile(strings.TrimPrefix(path.Join(moduleFolder, "module.cue"), "/")); err == nil {
		name, _ := modulePath(text)
		if below, ok := strings.CutPrefix(importPath, ast.ParseImportPath(name).Path+"/"); ok && name != "" {
			folders = append(folders, path.Join(root, below))
		}
	}
	return slices.ContainsFunc(folders, func(folder string) bool {
		kind, err := view.kind(folder)
		return err == nil && kind == KindDirectory
	})
}

// modernised gives what a legacy module file, which says nothing of a language version, is taken for; nil if it is none. The
// loader does the same where it reads the file, but not where a package in cue.mod/pkg needs it.
func modernised(text []byte, name string) []byte {
	if _, err := modfile.ParseNonStrict(text, name); err == nil {
		return nil
	}
	file, err := modfile.FixLegacy(text, name)
	if err != nil {
		return nil // the loader reports it
	}
	fixed, err := modfile.Format(file)
	if err != nil {
		return nil
	}
	return fixed
}

// namesModule reports whether a module file has a module path; legacy ones may be empty. What cannot be told the loader reports.
func namesModule(text []byte) bool {
	name, ok := modulePath(text)
	return !ok || name != ""
}

// modulePath is what a module file says of itself, "" if nothing; false where that cannot be told.
func modulePath(text []byte) (string, bool) {
	file, err := parser.ParseFile("module.cue", text)
	if err != nil {
		return "", false
	}
	for _, declaration := range file.Decls {
		field, ok := declaration.(*ast.Field)
		if !ok {
			continue
		}
		if name, _, _ := ast.LabelName(field.Label); name != "module" {
			continue
		}
		value, ok := field.Value.(*ast.BasicLit)
		if !ok {
			return "", false
		}
		name, err := literal.Unquote(value.Value)
		return name, err == nil
	}
	return "", true
}

func definitions(text []byte) (labels []string) {
	file, _ := parser.ParseFile("schema.cue", text)
	if file == nil {
		return nil
	}
	for _, declaration := range file.Decls {
		if field, ok := declaration.(*ast.Field); ok {
			if name, _, _ := ast.LabelName(field.Label); strings.HasPrefix(name, "#") {
				labels = append(labels, name)
			}
		}
	}
	return labels
}

// choosePackage finds the package that is meant: the one asked for, which must have a file in the folder itself; else "cuenv", else "env", else the only one;
// else an env.cue without a package clause, whose name is then the second result.
func choosePackage(view *View, request Request) (name, file string, failure *Failure) {
	entries, err := view.ReadDir(strings.TrimPrefix(request.Directory, "/"))
	if err != nil {
		return "", "", failf("read", "%s cannot be listed", request.Directory)
	}
	packages := map[string]bool{}
	anonymous := false
	for _, entry := range entries {
		if entry.IsDir() || !strings.HasSuffix(entry.Name(), ".cue") || strings.ContainsRune("._", rune(entry.Name()[0])) {
			continue
		}
		full := path.Join(request.Directory, entry.Name())
		text, err := view.ReadFile(strings.TrimPrefix(full, "/"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return "", "", failf("read", "%s cannot be read", full)
		}
		syntax, err := parser.ParseFile(full, text, parser.PackageClauseOnly)
		switch {
		case err != nil || syntax == nil:
			if entry.Name() == "env.cue" {
				return "", "", syntaxFailure(err)
			}
		case syntax.PackageName() != "":
			packages[syntax.PackageName()] = true
		default:
			anonymous = anonymous || entry.Name() == "env.cue"
		}
	}
	names := slices.Sorted(maps.Keys(packages))
	asked := request.Package
	switch {
	case asked == "" && packages["cuenv"]:
		return "cuenv", "", nil
	case asked == "" && packages["env"]:
		return "env", "", nil
	case anonymous && (asked == "" || asked == "_"):
		return "_", "env.cue", nil
	case asked != "" && packages[asked]:
		return asked, "", nil
	case asked != "":
		return "", "", failf("package", "no CUE package %s", asked)
	case len(names) == 1:
		return names[0], "", nil
	case len(names) > 1:
		return "", "", failf("ambiguous", "packages %s", strings.Join(names, ", "))
	default:
		return "", "", failf("package", "no CUE package")
	}
}

func loadFailure(err error, request Request) *Failure {
	kind := "load"
	for _, each := range errors.Errors(err) {
		var missing *load.NoFilesError
		var several *load.MultiplePackageError
		switch {
		case errors.As(each, &missing):
			kind = "package"
		case errors.As(each, &several):
			kind = "ambiguous"
		case isSyntax(each):
			kind = "syntax"
		}
	}
	return failureOf(kind, err)
}

func syntaxFailure(err error) *Failure { return failureOf("syntax", err) }

// isSyntax tells the parser's and the compiler's complaints from those about packages and modules: only they
// have a position and no import stack.
func isSyntax(err errors.Error) bool {
	var packageError *load.PackageError
	return err.Position() != token.NoPos && !errors.As(err, &packageError)
}
