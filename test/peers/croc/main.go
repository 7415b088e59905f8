// croc as its own main starts it: another program that gives files from person to person, which ours is measured beside.
package main

import (
	"fmt"
	"os"

	"github.com/schollz/croc/v10/src/cli"
	"github.com/schollz/croc/v10/src/utils"
)

func main() {
	err := cli.Run()
	utils.RemoveMarkedFiles()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
