package main

import (
	"context"
	"fmt"

	"cuelang.org/go/mod/modfile"
	"cuelang.org/go/mod/module"
)

// closedRegistry answers instead of a network: a dependency on another module can be declared, but only what lies
// in cue.mod is there. Modules of cuenv's own schemas are empty here: their import paths lead to ours.
type closedRegistry struct{}

func (closedRegistry) ModFile(_ context.Context, version module.Version) (*modfile.File, error) {
	return modfile.ParseNonStrict([]byte(fmt.Sprintf("module: %q\nlanguage: version: \"v0.9.0\"\n", version.Path())), "module.cue")
}

func (closedRegistry) Fetch(_ context.Context, version module.Version) (module.SourceLoc, error) {
	path := version.BasePath()
	if _, ours := ownPackages[path]; ours {
		return module.SourceLoc{}, nil
	}
	return module.SourceLoc{}, fmt.Errorf("module %s is not here, and nothing is fetched from a registry: put its files into cue.mod/pkg/%s", version, path)
}

func (closedRegistry) ModuleVersions(context.Context, string) ([]string, error) { return nil, nil }
