/** The list of an offer of several files, held against what the offer said of it. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { encodeText } from "../src/bytes.ts"
import { decodeFileList, encodeFileList } from "../src/files/list.ts"
import { maxListBytes, maxListedFiles } from "../src/limits.ts"

const hash = "c".repeat(64)
const files = [
  { path: "d/b", size: 2, hash },
  { path: "d/a", size: 1, hash },
]

test("a list comes back sorted, and the same files give the same bytes", () => {
  const bytes = encodeFileList(files)
  assert.deepEqual(decodeFileList(bytes, { files: 2, size: 3 }), [files[1], files[0]])
  assert.deepEqual(encodeFileList(files.toReversed()), bytes)
})

test("F4, F11: another count or sum than the offer's is refused", () => {
  const bytes = encodeFileList(files)
  for (const said of [
    { files: 3, size: 3 },
    { files: 2, size: 4 },
  ])
    assert.throws(() => decodeFileList(bytes, said), { code: "file.offer" })
})

test("F12: too many files, and a list that is too long, are refused before they are read", () => {
  const many = Array.from({ length: maxListedFiles + 1 }, (_, at) => ({ path: `d/${at}`, size: 0, hash }))
  assert.throws(() => encodeFileList(many), { code: "limit.size" })
  assert.throws(() => decodeFileList(new Uint8Array(maxListBytes + 1), { files: 1, size: 1 }), { code: "limit.size" })
})

test("5,000 files with long paths fit", () => {
  const many = Array.from({ length: 5_000 }, (_, at) => ({ path: `${"x".repeat(200)}/${at}`, size: 1, hash }))
  assert.equal(decodeFileList(encodeFileList(many), { files: 5_000, size: 5_000 }).length, 5_000)
})

for (const [what, text] of [
  ["another type", `{"files":[{"hash":"${hash}","path":"a","size":1}],"type":"kez.files.other","version":1}`],
  [
    "a member too many",
    `{"extra":1,"files":[{"hash":"${hash}","path":"a","size":1}],"type":"kez.files.list","version":1}`,
  ],
  ["no files", `{"files":[],"type":"kez.files.list","version":1}`],
  [
    "a size that is no count",
    `{"files":[{"hash":"${hash}","path":"a","size":-1}],"type":"kez.files.list","version":1}`,
  ],
  ["a path that leads up", `{"files":[{"hash":"${hash}","path":"../a","size":1}],"type":"kez.files.list","version":1}`],
] as const) {
  test(`a list with ${what} is refused`, () => {
    assert.throws(() => decodeFileList(encodeText(text), { files: 1, size: 1 }), /Cannot|expected/)
  })
}
