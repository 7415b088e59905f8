/** RFC 8785. SPEC §3.3; adversarial J13, J16. */
import assert from "node:assert/strict"
import { readdirSync } from "node:fs"
import { test } from "node:test"
import { canonicalize } from "../src/canonical.ts"
import { signEnvelope } from "../src/envelope/sign.ts"
import { keyNamed } from "./support/keys.ts"
import { publicVectors, readVectorText, skipWithoutVectors } from "./support/public-vectors.ts"
import { refuses, refusesLater } from "./support/throws.ts"

const suite = "rfc8785"

test("J16 canonicalize() writes the bytes of RFC 8785's files, 6 of 6", { skip: skipWithoutVectors(suite) }, () => {
  const names = readdirSync(publicVectors(`${suite}/input`) ?? "")
  for (const name of names) {
    const text = canonicalize(JSON.parse(readVectorText(`${suite}/input/${name}`)))
    assert.equal(text, readVectorText(`${suite}/output/${name}`).trimEnd(), name)
    const hex = readVectorText(`${suite}/outhex/${name.replace(".json", ".txt")}`).replace(/\s/g, "")
    assert.equal(Buffer.from(text).toString("hex"), hex, name)
  }
  assert.equal(names.length, 6)
})

/** RFC 8785, appendix B: IEEE 754 bits and the text. */
const numbers: readonly (readonly [bits: string, text: string])[] = [
  ["0000000000000000", "0"],
  ["8000000000000000", "0"],
  ["0000000000000001", "5e-324"],
  ["8000000000000001", "-5e-324"],
  ["7fefffffffffffff", "1.7976931348623157e+308"],
  ["ffefffffffffffff", "-1.7976931348623157e+308"],
  ["4340000000000000", "9007199254740992"],
  ["c340000000000000", "-9007199254740992"],
  ["4430000000000000", "295147905179352830000"],
  ["44b52d02c7e14af5", "9.999999999999997e+22"],
  ["44b52d02c7e14af6", "1e+23"],
  ["44b52d02c7e14af7", "1.0000000000000001e+23"],
  ["444b1ae4d6e2ef4e", "999999999999999700000"],
  ["444b1ae4d6e2ef4f", "999999999999999900000"],
  ["444b1ae4d6e2ef50", "1e+21"],
  ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
  ["3eb0c6f7a0b5ed8d", "0.000001"],
  ["41b3de4355555553", "333333333.3333332"],
  ["41b3de4355555554", "333333333.33333325"],
  ["41b3de4355555555", "333333333.3333333"],
  ["41b3de4355555556", "333333333.3333334"],
  ["41b3de4355555557", "333333333.33333343"],
  ["becbf647612f3696", "-0.0000033333333333333333"],
  ["43143ff3c1cb0959", "1424953923781206.2"],
]

for (const [bits, text] of numbers) {
  test(`J16 canonicalize() writes ${text} when the bits are ${bits}`, () => {
    const number = Buffer.from(bits, "hex").readDoubleBE()
    assert.equal(canonicalize(number), text)
    assert.equal(canonicalize([number]), `[${text}]`)
  })
}

test("J16 members are sorted by UTF-16 code units, as in RFC 8785 §3.2.3", () => {
  const value = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\u{1f600}": 5, "\u0080": 6, "\u00f6": 7 }
  assert.equal(canonicalize(value), '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}')
  assert.equal(canonicalize({ b: 0, a: 0, "": 0, "10": 0, "9": 0, B: 0 }), '{"":0,"10":0,"9":0,"B":0,"a":0,"b":0}')
})

class Named {
  readonly name = "x"
}

const notPlain: readonly (readonly [string, () => unknown])[] = [
  ["undefined", () => undefined],
  ["a member that is undefined", () => ({ primary: undefined })],
  ["a Date", () => new Date(0)],
  ["a bigint", () => 1n],
  ["a Map", () => new Map([["a", 1]])],
  ["a Set", () => new Set([1])],
  ["a class instance", () => new Named()],
  ["an object with toJSON", () => ({ toJSON: () => "other" })],
  ["an accessor", () => Object.defineProperty({}, "a", { get: () => 1, enumerable: true })],
  ["a hidden member", () => Object.defineProperty({}, "a", { value: 1, enumerable: false })],
  ["a symbol member", () => ({ [Symbol("a")]: 1 })],
  ["a symbol", () => Symbol("a")],
  ["a function", () => () => 1],
  ["NaN", () => Number.NaN],
  ["Infinity", () => [Number.POSITIVE_INFINITY]],
  ["a lone surrogate", () => "\ud800"],
  ["a lone surrogate in a name", () => ({ "\udc00": 1 })],
  ["a boxed string", () => Object("text")],
  ["bytes", () => new Uint8Array(2)],
  ["an array with a hole", () => Object.assign([], { 2: 1 })],
  ["an array of a subclass", () => new (class extends Array<number> {})()],
  ["an array with toJSON", () => Object.assign([1], { toJSON: () => "other" })],
  ["an array with another member", () => Object.assign([1], { extra: 1 })],
  ["an array with an accessor", () => Object.defineProperty([1], 0, { get: () => 1, enumerable: true })],
  ["an object of another prototype", () => Object.create({ inherited: 1 })],
  ["a circle", circle],
]

for (const [name, build] of notPlain) {
  test(`J13 canonicalize() of ${name} -> json.not_plain`, () => {
    refuses(() => canonicalize(build()), "json.not_plain")
    refuses(() => canonicalize({ deep: [build()] }), "json.not_plain")
  })
}

test("J13 canonicalize() takes an object without prototype", () => {
  assert.equal(canonicalize(Object.assign(Object.create(null), { b: null, a: [true] })), '{"a":[true],"b":null}')
})

test("J13 signEnvelope() without primary signs nothing -> json.not_plain or schema.missing_member", async () => {
  const { signer } = keyNamed("builder")
  let asked = 0
  const counting = {
    key: signer.key,
    sign(bytes: Uint8Array) {
      asked++
      return signer.sign(bytes)
    },
  }
  const payload = {
    type: "kez.claim",
    version: 1,
    subject: "dns:a.example",
    created_at: "2026-01-01T00:00:00Z",
  } as const
  const missing = payload as typeof payload & { primary: string }
  await refusesLater(signEnvelope("claim", missing, counting), "schema.missing_member")
  const blank = { ...payload, primary: undefined as unknown as string }
  await refusesLater(signEnvelope("claim", blank, counting), "json.not_plain")
  assert.equal(asked, 0)
})

// A proxy cannot be told from its target: it is read once, and what was read is what is signed and returned.
test("J13 signEnvelope() signs what it returns when the payload is a proxy that changes its answers", async () => {
  const { signer, key } = keyNamed("builder")
  let reads = 0
  const target = {
    type: "kez.claim",
    version: 1,
    subject: "dns:a.example",
    primary: key,
    created_at: "2026-01-01T00:00:00Z",
  } as const
  const shifting = new Proxy(target, {
    getOwnPropertyDescriptor: (object, name) => {
      const descriptor = Reflect.getOwnPropertyDescriptor(object, name)
      return descriptor && name === "subject" ? { ...descriptor, value: `dns:a${reads++}.example` } : descriptor
    },
  })
  const claim = await signEnvelope("claim", shifting, signer)
  assert.equal(claim.payload.subject, "dns:a0.example")
  assert.equal(keyNamed("builder").sign(canonicalize(claim.payload)), claim.signature.sig)
})

function circle(): unknown {
  const list: unknown[] = []
  list.push(list)
  return list
}
