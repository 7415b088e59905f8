/** What every source file has in common: a name that says something, an opening comment, a bounded size, no escapes. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { allSources, findInCode, type Source, sources } from "../support/sources.ts"

const MAX_LINES = 300
const EMPTY_NAME = /(?:^|\/)(?:utils?|helpers?|common|types?|manager|misc)(?:\.test|\.d)?\.ts$/
const DEFAULT_EXPORT = /\bexport\s+default\b|\bas\s+default\b/
const ANY = /[:<,|&(]\s*any\b(?!\s*\()|\bas any\b/
// In two parts, so that this file does not name them itself.
const SUPPRESSION = new RegExp(`@ts-(?:${["ignore", "nocheck"].join("|")})`)

const rules: ReadonlyArray<{
  readonly rule: string
  readonly broken: string
  readonly good: string
  readonly files: () => readonly Source[]
  readonly find: (source: Source) => readonly string[]
}> = [
  {
    rule: "opens with a doc comment",
    broken: "export const x = 1",
    good: "/** What it is. */\nexport const x = 1",
    files: sources,
    find: ({ path, text }) => (/^(?:#![^\n]*\n)?\/\*\*\s/.test(text) ? [] : [path]),
  },
  {
    rule: `has at most ${MAX_LINES} lines`,
    broken: "\n".repeat(MAX_LINES + 1),
    good: "\n".repeat(MAX_LINES),
    files: sources,
    find: ({ path, text }) => {
      const count = text.split("\n").length - 1
      return count > MAX_LINES ? [`${path} has ${count} lines`] : []
    },
  },
  {
    rule: "has no default export",
    broken: "export default 1",
    good: "export const x = 1 // export default",
    files: () => allSources().filter(({ path }) => !path.endsWith(".config.ts")),
    find: (source) => findInCode(source, DEFAULT_EXPORT),
  },
  {
    rule: "says no any",
    broken: "const f = (x: any) => x as any",
    good: "const any = 1 // : any",
    files: allSources,
    find: (source) => findInCode(source, ANY),
  },
  {
    rule: "switches no type check off",
    broken: `// ${"@ts-"}ignore`,
    good: "// checked",
    files: allSources,
    find: ({ path, text }) => (SUPPRESSION.test(text) ? [path] : []),
  },
]

for (const { rule, broken, good, files, find } of rules) {
  test(`every file ${rule}`, () => {
    assert.deepEqual(files().flatMap(find), [])
  })
  test(`the rule "${rule}" fails when a file breaks it`, () => {
    assert.equal(find({ path: "a.ts", text: broken }).length, 1)
    assert.deepEqual(find({ path: "a.ts", text: good }), [])
  })
}

test("every file has a name that says what is in it", () => {
  const paths = allSources().map(({ path }) => path)
  assert.deepEqual(
    paths.filter((path) => EMPTY_NAME.test(path)),
    [],
  )
})

test("the rule on names fails when a file is called by an empty word", () => {
  for (const name of ["src/utils.ts", "src/types.ts", "test/helpers.test.ts", "src/types.d.ts"])
    assert.match(name, EMPTY_NAME)
  for (const name of ["src/retype.ts", "src/claim-types-list.ts"]) assert.doesNotMatch(name, EMPTY_NAME)
})
