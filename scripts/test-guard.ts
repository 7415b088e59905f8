/** Loaded into every test process: an early process.exit(0) would take all results with it and look like success. */

process.exit = (code) => {
  throw new Error(`Cannot exit from a test: expected the test to return, got process.exit(${code ?? ""})`)
}
