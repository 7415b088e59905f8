/** `npm start` and kez-iroh: built beside everything else where it is missing, and nothing but files off where it cannot be. */
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { after, before, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import manifest from "../../package.json" with { type: "json" }
import { skipWithoutNats } from "../support/broker.ts"
import { ROOT } from "../support/iroh.ts"
import { freePortBase, processesWith, startTrial, type Trial } from "../support/trial.ts"

const skip = process.platform === "linux" ? skipWithoutNats : "looks into /proc"
const base = mkdtempSync(join(tmpdir(), "kez-start-"))
const folder = join(base, "trial")
const cache = join(base, "cache")
const built = join(cache, "kez/rust-iroh/release/kez-iroh")
let ports = 0
after(() => rmSync(base, { recursive: true, force: true }))
before(async () => {
  ports = await freePortBase()
  mkdirSync(join(cache, "kez"), { recursive: true })
  // Only kez-iroh is to be missing.
  const usual = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache")
  if (existsSync(join(usual, "kez/nats-server")))
    symlinkSync(join(usual, "kez/nats-server"), join(cache, "kez/nats-server"))
})

/** A folder for PATH with a cargo that says a version, and does `script` to build. */
function cargoThat(name: string, script: string): string {
  const bin = join(base, name)
  mkdirSync(bin)
  const text = `#!/bin/sh\n[ "$1" != --version ] || { echo 'cargo 1.99.0 (of a test)'; exit; }\n${script}\n`
  writeFileSync(join(bin, "cargo"), text, { mode: 0o755 })
  return bin
}

/** As if it was never installed: other folders of PATH may have one. */
const withoutCargo = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((dir) => !existsSync(join(dir, "cargo")))
  .join(delimiter)

function start(t: Parameters<typeof startTrial>[0], bin?: string): Trial {
  const path = bin === undefined ? withoutCargo : `${bin}${delimiter}${withoutCargo}`
  const env = { PATH: path, HOME: base, XDG_CACHE_HOME: cache }
  return startTrial(t, ["--folder", folder, "--port-base", String(ports)], env, { builds: true })
}

test("without cargo everything but files works, and both npm start and kez send say what to type", {
  skip,
}, async (t) => {
  const trial = start(t)
  await trial.ready()
  assert.match(
    trial.said(),
    /^ {2}Files are off, everything else works: cargo is missing\. https:\/\/rustup\.rs installs it/m,
  )
  assert.match(trial.said(), /^ {4}Then: sh scripts\/iroh\.sh /m)
  assert.doesNotMatch(trial.said(), /Give a file/)
  const env = { PATH: withoutCargo, HOME: base, XDG_CACHE_HOME: cache, KEZ_HOME: join(folder, "alice") }
  const args = [join(ROOT, "kez"), "send", "README.md", "bob", "--passphrase-file", join(folder, "passphrase")]
  const said = await new Promise<string>((resolve) =>
    execFile("sh", args, { cwd: ROOT, env }, (_error, _stdout, stderr) => resolve(stderr)),
  )
  assert.match(said, /kez-iroh, the program that does it, is not on this computer \[file\.program\]/)
  assert.match(said, /^hint: To build .*: sh scripts\/iroh\.sh$/m)
  const dm = [join(ROOT, "kez"), "dm", "bob", "still here", "--passphrase-file", join(folder, "passphrase")]
  await new Promise<void>((resolve, reject) =>
    execFile("sh", dm, { cwd: ROOT, env }, (error, _stdout, stderr) => (error ? reject(new Error(stderr)) : resolve())),
  )
  trial.interrupt()
  await trial.ended()
})

test("a build does not hold the start up, Ctrl-C ends it, and a failed one says where to look", { skip }, async (t) => {
  const marker = `600.0${process.pid}`
  const long = start(t, cargoThat("long", `sleep ${marker}`))
  await long.ready()
  assert.match(
    long.said(),
    /^ {2}Building kez-iroh in the background, once, about \d+ minutes\. Files work afterwards\./m,
  )
  while (processesWith(marker).length === 0) await sleep(50)
  long.interrupt()
  await long.ended()
  assert.match(long.said(), /The build of kez-iroh is stopped\. The next npm start goes on with it\./)
  assert.deepEqual(processesWith(marker), [])
  const broken = start(t, cargoThat("broken", "echo 'error: no such crate' >&2; exit 101"))
  await broken.saying(/^failed kez-iroh: could not be built \(exit code 1\); everything else works/m)
  await broken.ready()
  await broken.saying(/^ {4}error: no such crate$/m)
  broken.interrupt()
  await broken.ended()
})

test("what was built is used from then on, also by the next start", { skip }, async (t) => {
  const gate = join(base, "gate")
  const make = `while [ ! -e '${gate}' ]; do sleep 0.1; done
mkdir -p "$CARGO_TARGET_DIR/release"
printf '#!/bin/sh\\necho kez-iroh ${manifest.version}\\n' >"$CARGO_TARGET_DIR/release/kez-iroh"
chmod 755 "$CARGO_TARGET_DIR/release/kez-iroh"`
  const bin = cargoThat("working", make)
  const first = start(t, bin)
  await first.ready()
  assert.equal(existsSync(built), false)
  writeFileSync(gate, "")
  await first.saying(/^ok kez-iroh: built: kez send and kez receive move files now/m)
  first.interrupt()
  await first.ended()
  const second = start(t, bin)
  await second.ready()
  assert.match(second.said(), /^ok kez-iroh: moves files/m)
  assert.match(
    second.said(),
    /^ {2}Give a file, once both have said something:\n {4}KEZ_HOME=\S+ \.\/kez send README\.md bob/m,
  )
  assert.doesNotMatch(second.said(), /Building/)
  second.interrupt()
  await second.ended()
})
