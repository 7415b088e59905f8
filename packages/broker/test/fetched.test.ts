/** What is checked of a nats-server before it is run: version, modules, the archive's content. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { assertModules } from "../src/server/fetch-go.ts"
import { goModules } from "../src/server/pins.ts"
import { fileInTar } from "../src/server/tar.ts"
import { isFitVersion } from "../src/server/version.ts"

test("isFitVersion() takes 2.15.1 and whatever is newer", () => {
  for (const version of ["2.15.1", "v2.15.1", "2.15.2", "2.16.0", "3.0.0", "2.16.0-RC.1"])
    assert.ok(isFitVersion(version), version)
  for (const version of ["2.15.0", "2.10.27", "2.9.99", "1.99.99", "2.15.1-RC.3", "", "2.15", "latest", "2.15.1 x"]) {
    assert.ok(!isFitVersion(version), version)
  }
})

/** As `go version -m` says it. */
const told = [
  "nats-server: go1.26.8",
  "path\tgithub.com/nats-io/nats-server/v2",
  ...goModules.map((line) => line.replaceAll(" ", "\t")),
  "build\t-trimpath=true",
]
const text = (lines: readonly string[]): string => lines.map((line, at) => (at === 0 ? line : `\t${line}`)).join("\n")

test("assertModules() takes the pinned modules", () => {
  assertModules(text(told))
})

const changed: ReadonlyArray<readonly [name: string, lines: readonly string[]]> = [
  ["nothing", []],
  ["a module less", told.toSpliced(5, 1)],
  ["a module more", [...told, "dep\texample.org/x\tv1.0.0\th1:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx="]],
  ["a replaced module", [...told, "=>\texample.org/x\tv1.0.0\th1:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx="]],
  ["another sum", told.with(2, (told[2] ?? "").replace("h1:f", "h1:g"))],
  ["another version", told.with(2, (told[2] ?? "").replace("v2.15.1", "v2.15.0"))],
]

for (const [name, lines] of changed) {
  test(`assertModules() answers broker.checksum to ${name}`, () => {
    assert.throws(() => assertModules(text(lines)), { code: "broker.checksum" })
  })
}

function entry(name: string, content: string, type = "0"): Buffer {
  const header = Buffer.alloc(512)
  header.write(name)
  header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124)
  header.write(type, 156)
  return Buffer.concat([header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)])
}

test("fileInTar() finds a regular file among others", () => {
  const tar = Buffer.concat([
    entry("a/", "", "5"),
    entry("a/LICENSE", "x".repeat(513)),
    entry("a/nats-server", "program"),
    Buffer.alloc(1_024),
  ])
  assert.equal(Buffer.from(fileInTar(tar, "a/nats-server") ?? []).toString(), "program")
  assert.equal(fileInTar(tar, "nats-server"), undefined)
})

test("fileInTar() takes no link and nothing that is cut", () => {
  assert.equal(fileInTar(entry("a/nats-server", "", "2"), "a/nats-server"), undefined)
  assert.equal(fileInTar(entry("a/nats-server", "x".repeat(600)).subarray(0, 700), "a/nats-server"), undefined)
  assert.equal(fileInTar(Buffer.alloc(0), "a"), undefined)
  assert.equal(fileInTar(Buffer.alloc(512, 0xff), "a"), undefined)
})
