/** The MLS library behind its guards: one version, called from one place, and without what makes it accept everything. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { findInCode, readJson, readText, type Source, shippedSources } from "../support/sources.ts"

const INSIDE = /^packages\/chat\/src\/(?:cipher|credential)\//

/** Defaults and helpers that check nothing, keep too much, or make what we refuse. */
const BANNED = new RegExp(
  String.raw`\b(?:${[
    ...["acceptAll", "defaultAuthenticationService", "defaultClientConfig", "defaultLifetime", "defaultLifetimeConfig"],
    ...["defaultKeyRetentionConfig", "defaultKeyPackageEqualityConfig", "defaultCapabilities", "defaultPaddingConfig"],
    ...["getCiphersuiteImpl", "nobleCryptoProvider", "defaultCryptoProvider", "generateKeyPackage"],
    ...[
      "createProposal",
      "proposeExternal",
      "proposeAddExternal",
      "reinitGroup",
      "reinitCreateNewGroup",
      "branchGroup",
    ],
    ...["joinGroupFromReinit", "joinGroupFromBranch", "toJsonString", "fromJsonString", "processMessage"],
    ...["joinGroup", "joinGroupWithExtensions", "joinGroupExternal", "validateRatchetTree"], // refuse sound trees
  ].join("|")})\b`,
)

const importsMls = ({ text }: Source): boolean => /from\s*"ts-mls(?:\/[^"]*)?"/.test(text)
const strays = (sources: readonly Source[]): readonly string[] =>
  sources.filter((source) => importsMls(source) && !INSIDE.test(source.path)).map(({ path }) => path)
const banned = (sources: readonly Source[]): readonly string[] =>
  sources.filter(importsMls).flatMap((source) => findInCode(source, BANNED))

test("ts-mls is imported by the cipher and the credentials alone", () => {
  assert.deepEqual(strays(shippedSources()), [])
})

test("the rule on ts-mls fails when something else imports it", () => {
  const text = `import { joinGroup } from "ts-mls"`
  assert.equal(strays([{ path: "packages/chat/src/engine/a.ts", text }]).length, 1)
  assert.equal(strays([{ path: "apps/cli/src/a.ts", text: `import { x } from "ts-mls/clientState.js"` }]).length, 1)
  assert.deepEqual(strays([{ path: "packages/chat/src/cipher/a.ts", text }]), [])
})

test("none of its defaults and unchecked helpers is used", () => {
  assert.deepEqual(banned(shippedSources()), [])
})

test("the rule on its helpers fails when one is used", () => {
  for (const name of ["acceptAll", "defaultClientConfig", "getCiphersuiteImpl", "reinitGroup"]) {
    const text = `import { ${name} } from "ts-mls"\nconst x = ${name}`
    assert.ok(banned([{ path: "packages/chat/src/cipher/a.ts", text }]).length > 0, name)
  }
})

test("its version is the one that was read and tested", () => {
  const { dependencies } = readJson("packages/chat/package.json") as { dependencies: Record<string, string> }
  assert.equal(dependencies["ts-mls"], "1.6.4")
  assert.match(readText("package-lock.json"), /"node_modules\/ts-mls": \{\s*"version": "1\.6\.4"/)
})
