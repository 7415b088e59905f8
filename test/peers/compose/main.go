// Reads compose files as Docker Compose does, with its own loader and schema, and prints the result as JSON.
// Usage: compose-peer ENV_FILE PROFILES FILE...   (profiles joined by commas; nothing of the environment is used)
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	if len(os.Args) < 4 {
		fail(fmt.Errorf("expected ENV_FILE PROFILES FILE..."))
	}
	files := os.Args[3:]
	options, err := cli.NewProjectOptions(
		files,
		cli.WithWorkingDirectory(filepath.Dir(files[0])),
		cli.WithEnvFiles(os.Args[1]),
		cli.WithDotEnv,
		cli.WithProfiles(strings.FieldsFunc(os.Args[2], func(r rune) bool { return r == ',' })),
	)
	if err != nil {
		fail(err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		fail(err)
	}
	text, err := project.MarshalJSON()
	if err != nil {
		fail(err)
	}
	os.Stdout.Write(text)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
