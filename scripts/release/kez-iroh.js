#!/usr/bin/env node
// Starts kez-iroh from the package of this platform. Nothing is run when the packages are installed.
import { spawnSync } from "node:child_process"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

const require = createRequire(import.meta.url)
const { name, version, optionalDependencies } = require("../package.json")
const platform = `${process.platform}-${process.arch}`

const fitting = Object.keys(optionalDependencies).filter((one) => `${one}-`.startsWith(`${name}-${platform}-`))
const programs = fitting.flatMap((one) => {
  try {
    return [join(dirname(require.resolve(`${one}/package.json`)), "kez-iroh")]
  } catch {
    return []
  }
})

function fail(what, hint) {
  process.stderr.write(`kez-iroh: ${what}\nhint: ${hint}\n`)
  process.exit(1)
}

if (fitting.length === 0) {
  fail(
    `there is no package for ${platform}`,
    `it can be built where cargo is (https://rustup.rs): sh scripts/iroh.sh in the sources of KEZ ${version}`,
  )
}
if (programs.length === 0) {
  fail(
    `its package for ${platform} is not installed`,
    `npm leaves it out with --omit=optional: npm install ${fitting.join(" or ")}`,
  )
}
// Where there are two, only trying shows which one this system can run.
for (const program of programs) {
  const { error, status, signal } = spawnSync(program, process.argv.slice(2), { stdio: "inherit" })
  if (error !== undefined) continue
  if (signal !== null) process.kill(process.pid, signal)
  process.exit(status ?? 1)
}
fail(
  `${programs.join(" and ")} cannot be run on this system`,
  `node -p 'process.report.getReport().header' says what it is`,
)
