/** No box of the picture lies over another, for any number and size of them, and what belongs together stands together. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { limits } from "@kez/core"
import fc from "fast-check"
import { layOut, type Sizes } from "../src/graph/graph-layout.ts"
import { graphSvg } from "../src/graph/graph-svg.ts"
import type { Point, Size } from "../src/graph/ring.ts"
import { graphOf } from "./support/graphs.ts"
import { type Element, elementsOf, parseXml } from "./support/xml.ts"

interface Box extends Point, Size {}

/** Pairs that overlap; boxes by their middles. */
function overlaps(boxes: readonly Box[]): readonly string[] {
  return boxes.flatMap((a, i) =>
    boxes.flatMap((b, j) =>
      j > i && Math.abs(a.x - b.x) < (a.width + b.width) / 2 && Math.abs(a.y - b.y) < (a.height + b.height) / 2
        ? [`${i} and ${j}`]
        : [],
    ),
  )
}

function boxesFor(accounts: number, devices: number, sizes: Sizes): readonly Box[] {
  const layout = layOut(accounts, devices, sizes)
  assert.deepEqual([layout.accounts.length, layout.devices.length], [accounts, devices])
  return [
    { x: 0, y: 0, ...sizes.centre },
    ...layout.accounts.map((point) => ({ ...point, ...sizes.account })),
    ...layout.devices.map((point) => ({ ...point, ...sizes.device })),
  ]
}

const size = (width: readonly [number, number], height: readonly [number, number]) =>
  fc.record({
    width: fc.integer({ min: width[0], max: width[1] }),
    height: fc.integer({ min: height[0], max: height[1] }),
  })

test("layOut() lets no two boxes overlap, for random numbers and sizes", () => {
  const sizes = fc.record({
    centre: size([80, 400], [40, 200]),
    account: size([60, 320], [20, 80]),
    device: size([60, 320], [20, 80]),
    gap: fc.integer({ min: 2, max: 30 }),
  })
  const numbers = fc.tuple(
    fc.integer({ min: 0, max: limits.maxActiveClaims + 1 }),
    fc.integer({ min: 0, max: limits.maxActiveDevices }),
  )
  fc.assert(
    fc.property(numbers, sizes, ([accounts, devices], chosen) => {
      assert.deepEqual(overlaps(boxesFor(accounts, devices, chosen)), [])
    }),
    { numRuns: 60 },
  )
})

test("layOut() lets no two boxes overlap, for every number up to 40", () => {
  const sizes: Sizes = {
    centre: { width: 264, height: 108 },
    account: { width: 290, height: 54 },
    device: { width: 230, height: 54 },
    gap: 20,
  }
  for (let accounts = 0; accounts <= 40; accounts++) {
    for (const devices of [0, 1, 2, 7])
      assert.deepEqual(overlaps(boxesFor(accounts, devices, sizes)), [], `${accounts}, ${devices}`)
  }
})

test("layOut() bounds hold every box", () => {
  const sizes: Sizes = {
    centre: { width: 264, height: 108 },
    account: { width: 200, height: 42 },
    device: { width: 230, height: 54 },
    gap: 8,
  }
  const { bounds } = layOut(70, 9, sizes)
  for (const { x, y, width, height } of boxesFor(70, 9, sizes)) {
    assert.ok(x - width / 2 >= bounds.left && x + width / 2 <= bounds.left + bounds.width)
    assert.ok(y - height / 2 >= bounds.top && y + height / 2 <= bounds.top + bounds.height)
  }
})

for (const [accounts, devices] of [
  [3, 2],
  [20, 5],
  [256, 32],
] as const) {
  test(`graphSvg() keeps ${accounts} accounts and ${devices} devices apart and inside the picture`, async () => {
    const root = parseXml(graphSvg(await graphOf(accounts, devices)))
    const cards = [...cardsOf(root, { x: 0, y: 0 })]
    assert.equal(cards.length, accounts + devices + 1)
    assert.deepEqual(overlaps(cards), [])
    const [width, height] = [Number(root.attributes.get("width")), Number(root.attributes.get("height"))]
    for (const card of cards) {
      assert.ok(card.x - card.width / 2 >= 0 && card.x + card.width / 2 <= width)
      assert.ok(card.y - card.height / 2 >= 0 && card.y + card.height / 2 <= height)
    }
  })
}

/** Every box as it stands in the picture. */
function* cardsOf(element: Element, origin: Point): Generator<Box> {
  const [, x = "0", y = "0"] =
    /^translate\(([-\d.]+)(?: ([-\d.]+))?\)$/.exec(element.attributes.get("transform") ?? "") ?? []
  const here = { x: origin.x + Number(x), y: origin.y + Number(y) }
  const number = (name: string) => Number(element.attributes.get(name) ?? 0)
  if (/\b(?:card|identity)\b/.test(element.attributes.get("class") ?? "")) {
    const [width, height] = [number("width"), number("height")]
    yield { x: here.x + number("x") + width / 2, y: here.y + number("y") + height / 2, width, height }
  }
  for (const child of element.children) yield* cardsOf(child, here)
}

test("graphSvg() has no text below 11 px", async () => {
  for (const accounts of [3, 60]) {
    const texts = [...elementsOf(parseXml(graphSvg(await graphOf(accounts, 3))))].filter(({ name }) => name === "text")
    assert.ok(texts.length > accounts)
    for (const text of texts) assert.ok(Number(text.attributes.get("font-size")) >= 11)
  }
})
