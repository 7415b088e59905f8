/** Loads the test files named as arguments into this one process; a file that does not load is a failed test. */
import { test } from "node:test"
import { pathToFileURL } from "node:url"

for (const file of process.argv.slice(2)) {
  try {
    await import(pathToFileURL(file).href)
  } catch (error) {
    test(`loads ${file}`, () => {
      throw error
    })
  }
}
