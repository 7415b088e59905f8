/** Loaded before a program with `--import`: SIGUSR2 is a defect that nobody catches. */
process.on("SIGUSR2", () => {
  throw new Error("a defect on purpose")
})
