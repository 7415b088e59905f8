/** Where nats-server comes from: NATS_URL, PATH, the cache, Go, the release's archive, or a message that says what to do. */
import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { type TestContext, test } from "node:test"
import { gzipSync } from "node:zlib"
import { type FindOptions, findNatsServer } from "@kez/broker"
import { goModules, pinnedVersion } from "../../packages/broker/src/server/pins.ts"

const posix = { skip: process.platform === "win32" && "shell scripts stand in for programs" }
/** Of the shell: what stands in for programs needs it, and nothing of this machine's own is on it. */
const shellPath = "/usr/bin:/bin"
const platform = "linux-amd64"

interface Place {
  readonly folder: string
  readonly env: Record<string, string>
  /** Puts a script on PATH. */
  program(name: string, script: string): void
}

function makePlace(t: TestContext): Place {
  const folder = mkdtempSync(join(tmpdir(), "kez-find-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const bin = join(folder, "bin")
  mkdirSync(bin)
  return {
    folder,
    env: { PATH: [bin, shellPath].join(delimiter), XDG_CACHE_HOME: join(folder, "cache"), HOME: folder },
    program(name, script) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
      chmodSync(join(bin, name), 0o755)
    },
  }
}

const natsScript = (version: string): string => `echo nats-server: v${version}`
const find = (place: Place, more: Partial<FindOptions> = {}) =>
  findNatsServer({ env: place.env, fetch: true, archive: { url: "http://127.0.0.1:9", platform }, ...more })

/** A release over HTTP, as GitHub has it. */
async function serveRelease(t: TestContext, program: string) {
  const name = `nats-server-v${pinnedVersion}-${platform}`
  const header = Buffer.alloc(512)
  header.write(`${name}/nats-server`)
  header.write(`${program.length.toString(8).padStart(11, "0")}\0`, 124)
  header.write("0", 156)
  const archive = gzipSync(Buffer.concat([header, Buffer.from(program), Buffer.alloc(2_048 - (program.length % 512))]))
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? "")
    if (request.url === `/${name}.tar.gz`) response.end(archive)
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  t.after(() => server.close())
  const { port } = server.address() as { readonly port: number }
  return { url: `http://127.0.0.1:${port}`, asked, sum: createHash("sha256").update(archive).digest("hex") }
}

test("NATS_URL wins, and nothing is looked for", async (t) => {
  const place = makePlace(t)
  const env = { ...place.env, NATS_URL: "nats://broker.example:4222" }
  assert.deepEqual(await find(place, { env }), { kind: "external", url: "nats://broker.example:4222" })
})

test("NATS_URL with a password, of another scheme, or none at all -> usage, without the password", async (t) => {
  const place = makePlace(t)
  for (const url of ["nats://u:hunter2@broker.example", "http://broker.example", "broker"]) {
    await assert.rejects(find(place, { env: { ...place.env, NATS_URL: url } }), (error: Error & { code?: string }) => {
      assert.equal(error.code, "usage")
      assert.ok(!error.message.includes("hunter2"))
      return true
    })
  }
})

test("one on PATH is taken if it is new enough", posix, async (t) => {
  const place = makePlace(t)
  place.program("nats-server", natsScript("2.16.3"))
  const found = await find(place)
  assert.deepEqual(found, {
    kind: "program",
    path: join(place.folder, "bin/nats-server"),
    version: "2.16.3",
    from: "PATH",
  })
})

test("an old one, and a program that is none, are passed over", posix, async (t) => {
  for (const script of [natsScript("2.10.27"), natsScript("2.15.0"), "echo hello", "exit 1"]) {
    const place = makePlace(t)
    place.program("nats-server", script)
    assert.equal(await find(place, { fetch: false }), undefined)
  }
})

test(
  "without Go the archive is fetched once, by its checksum, and found in the cache from then on",
  posix,
  async (t) => {
    const place = makePlace(t)
    const { url, sum, asked } = await serveRelease(t, `#!/bin/sh\n${natsScript(pinnedVersion)}\n`)
    const archive = { url, sums: { [platform]: sum }, platform }
    const steps: string[] = []
    const first = await find(place, { archive, onStep: (text) => steps.push(text) })
    assert.equal(first?.kind === "program" && first.from, "archive")
    const second = await find(place, { archive, onStep: (text) => steps.push(text) })
    assert.equal(second?.kind === "program" && second.from, "cache")
    assert.equal(asked.length, 1)
    assert.equal(steps.length, 1)
    assert.ok(first?.kind === "program" && statSync(first.path).mode & 0o100)
  },
)

test("an archive of another checksum -> broker.checksum, and nothing is kept or run", posix, async (t) => {
  const place = makePlace(t)
  const { url } = await serveRelease(t, `#!/bin/sh\ntouch ${place.folder}/ran\n`)
  await assert.rejects(find(place, { archive: { url, sums: { [platform]: "0".repeat(64) }, platform } }), {
    code: "broker.checksum",
  })
  assert.ok(!existsSync(join(place.folder, "ran")))
  assert.deepEqual(readdirSync(join(place.folder, "cache/kez/nats-server")), [])
})

test("a cached program that was changed is fetched anew, not run", posix, async (t) => {
  const place = makePlace(t)
  const { url, sum } = await serveRelease(t, `#!/bin/sh\n${natsScript(pinnedVersion)}\n`)
  const archive = { url, sums: { [platform]: sum }, platform }
  const found = await find(place, { archive })
  assert.ok(found?.kind === "program")
  writeFileSync(found.path, `#!/bin/sh\ntouch ${place.folder}/ran\n${natsScript(pinnedVersion)}\n`)
  const again = await find(place, { archive })
  assert.equal(again?.kind === "program" && again.from, "archive")
  assert.ok(!existsSync(join(place.folder, "ran")))
})

const told = ["x: go1.26.8", ...goModules.map((line) => `\\t${line.replaceAll(" ", "\\t")}`)].join("\\n")

/** Stands in for Go: says what it was asked and with which variables, and "builds" a program. */
function goScript(modules: string): string {
  return `case "$1" in
env) echo go1.26.8 ;;
install) env | grep -E '^GO|^CGO' | sort > "$HOME/go-env"; echo "$2" > "$HOME/go-asked"; printf '#!/bin/sh\\n${natsScript(pinnedVersion)}\\n' > "$GOBIN/nats-server"; chmod 755 "$GOBIN/nats-server" ;;
version) printf '${modules}\\n' ;;
esac`
}

test(
  "a Go that is here builds the pinned version, with flags that change no pin and the checksum database on",
  posix,
  async (t) => {
    const place = makePlace(t)
    place.program("go", goScript(told))
    const hostile = {
      GOFLAGS: "-mod=mod -toolexec=/tmp/x",
      GONOSUMDB: "*",
      GOPRIVATE: "*",
      GOINSECURE: "*",
      GOSUMDB: "off",
      GOOS: "plan9",
      GOPROXY: "https://proxy.example",
    }
    const found = await find(place, { env: { ...place.env, ...hostile } })
    assert.equal(found?.kind === "program" && found.from, "go")
    assert.equal(
      readFileSync(join(place.folder, "go-asked"), "utf8").trim(),
      `github.com/nats-io/nats-server/v2@v${pinnedVersion}`,
    )
    const env = readFileSync(join(place.folder, "go-env"), "utf8")
    for (const line of [
      "GOFLAGS=-trimpath",
      "GONOSUMDB=none.invalid",
      "GOSUMDB=sum.golang.org",
      "GOPROXY=https://proxy.example",
      "CGO_ENABLED=0",
    ]) {
      assert.ok(env.includes(`${line}\n`), env)
    }
    assert.doesNotMatch(env, /GOPRIVATE|GOINSECURE|GOOS/)
  },
)

test("a program that Go built of other modules -> broker.checksum, and it is not run", posix, async (t) => {
  const place = makePlace(t)
  place.program("go", goScript(told.replace("h1:f", "h1:g")))
  await assert.rejects(find(place), { code: "broker.checksum" })
  assert.deepEqual(readdirSync(join(place.folder, "cache/kez/nats-server")), [])
})

test("a Go that is too old or fails leaves it to the archive", posix, async (t) => {
  for (const script of ["echo go1.19.8", 'case "$1" in env) echo go1.26.8 ;; *) exit 1 ;; esac']) {
    const place = makePlace(t)
    place.program("go", script)
    const { url, sum } = await serveRelease(t, `#!/bin/sh\n${natsScript(pinnedVersion)}\n`)
    const found = await find(place, { archive: { url, sums: { [platform]: sum }, platform } })
    assert.equal(found?.kind === "program" && found.from, "archive")
  }
})

test("with nothing to be had -> broker.missing, with what to do", posix, async (t) => {
  const place = makePlace(t)
  const refused = async (archive: FindOptions["archive"]) =>
    assert.rejects(
      find(place, archive === undefined ? {} : { archive }),
      (error: Error & { code?: string; hint?: string }) => {
        assert.equal(error.code, "broker.missing")
        assert.match(error.hint ?? "", /Install nats-server 2\.15\.1 or newer.*NATS_URL/)
        return true
      },
    )
  await refused(undefined)
  await refused({ platform: "plan9-mips" })
  const { url } = await serveRelease(t, "x")
  await refused({ url: `${url}/elsewhere`, platform })
})
