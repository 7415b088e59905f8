/**
 * Loads the test files named as arguments into this one process; a file that does not load is a failed test. Before the tests of each
 * stands one that names it: a test that a shared function registers carries that function's file, not its own.
 */
import { test } from "node:test"
import { pathToFileURL } from "node:url"

for (const file of process.argv.slice(2)) {
  test(`file ${file}`, () => {})
  try {
    await import(pathToFileURL(file).href)
  } catch (error) {
    test("loads the file", () => {
      throw error
    })
  }
}
