/** Places for boxes on an ellipse around the origin, none over another. Left and right mirror each other. */

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Ring {
  readonly rx: number
  readonly ry: number
  /** The smallest box that holds one of those to be placed, its margin included. */
  readonly cell: Size
  /** Columns at the bottom, or at the top, that stay free. */
  readonly opening?: { readonly bottom: number }
}

/** Points of half an ellipse that are tried. */
const steps = 720
/** Up to this many are spread by angle; more of them by the room that they take, since boxes are wider than high. */
const maxByAngle = 8

/** `count` places, clockwise from the top; undefined when the ring is too small for them. */
export function placesOn(ring: Ring, count: number): readonly Point[] | undefined {
  if (count === 0) return []
  const byAngle = count <= maxByAngle ? placesByAngle(ring, count) : undefined
  return byAngle ?? placesByRoom(ring, count)
}

/** How many find room, at least. */
export function capacityOf(ring: Ring): number {
  let pairs = 0
  let before = pointAt(ring, 0)
  for (let at = 0; at <= steps; at++) {
    const point = pointAt(ring, at)
    if (!hasRoom(ring, point, 1) || distance(ring, before, point) < 1) continue
    before = point
    pairs++
  }
  return 1 + 2 * pairs
}

/** `count` places around the bottom, from left to right; undefined when the ring is too small for them. */
export function placesAtBottom(ring: Ring, count: number): readonly Point[] | undefined {
  const isOdd = count % 2 === 1
  const pairs = Math.floor(count / 2)
  const right = walk(ring, {
    from: steps,
    step: -1,
    count: pairs,
    spread: 1,
    first: isOdd ? pointAt(ring, steps) : undefined,
  })
  if (right === undefined) return undefined
  return [...right.toReversed().map(mirrored), ...(isOdd ? [pointAt(ring, steps)] : []), ...right]
}

function placesByAngle(ring: Ring, count: number): readonly Point[] | undefined {
  const shift = count % 2 === 0 && (ring.opening !== undefined || count === 2) ? Math.PI / count : 0
  const places = Array.from({ length: count }, (_, at) => {
    const angle = (2 * Math.PI * at) / count + shift
    return { x: round(ring.rx * Math.sin(angle)), y: round(-ring.ry * Math.cos(angle)) }
  })
  const isFree = places.every((a, i) => places.every((b, j) => i >= j || distance(ring, a, b) >= 1))
  return isFree ? places : undefined
}

function placesByRoom(ring: Ring, count: number): readonly Point[] | undefined {
  const hasTop = count % 2 === 1 || ring.opening === undefined
  const hasBottom = count % 2 === 0 && ring.opening === undefined
  const pairs = Math.floor((count - (hasTop ? 1 : 0) - (hasBottom ? 1 : 0)) / 2)
  const last = hasBottom ? pointAt(ring, steps) : undefined
  const top = hasTop ? pointAt(ring, 0) : undefined
  const right = widestWalk(ring, { count: pairs, first: top, last })
  if (right === undefined) return undefined
  return [
    ...(top === undefined ? [] : [top]),
    ...right,
    ...(last === undefined ? [] : [last]),
    ...right.toReversed().map(mirrored),
  ]
}

/** The walk with the largest equal distances that still ends before the bottom. */
function widestWalk(
  ring: Ring,
  {
    count,
    first,
    last,
  }: { readonly count: number; readonly first: Point | undefined; readonly last: Point | undefined },
): readonly Point[] | undefined {
  const tryWalk = (spread: number) => {
    const right = walk(ring, { from: 0, step: 1, count, spread, first })
    const end = right?.at(-1) ?? first
    const isFree = last === undefined || end === undefined || distance(ring, end, last) >= spread
    return isFree ? right : undefined
  }
  let best = tryWalk(1)
  if (best === undefined) return undefined
  let [low, high] = [1, 16]
  for (let round = 0; round < 24; round++) {
    const middle = (low + high) / 2
    const found = tryWalk(middle)
    if (found === undefined) high = middle
    else {
      best = found
      low = middle
    }
  }
  return best
}

interface Walk {
  /** Index of the point to begin at: 0 is the top, `steps` the bottom. */
  readonly from: number
  readonly step: 1 | -1
  readonly count: number
  /** Distance between neighbours, in cells. */
  readonly spread: number
  readonly first: Point | undefined
}

/** Goes along the right half and stops wherever the next box has room, beside its mirror image too. */
function walk(ring: Ring, { from, step, count, spread, first }: Walk): readonly Point[] | undefined {
  const places: Point[] = []
  let before = first
  for (let at = from; at >= 0 && at <= steps && places.length < count; at += step) {
    const point = pointAt(ring, at)
    if (!hasRoom(ring, point, spread) || (before !== undefined && distance(ring, before, point) < spread)) continue
    places.push(point)
    before = point
  }
  return places.length === count ? places : undefined
}

/** Whether a box and its mirror image stand clear of each other, and of the opening. */
function hasRoom({ cell, opening }: Ring, { x, y }: Point, spread: number): boolean {
  const free = y > 0 ? (opening?.bottom ?? 0) : 0
  return 2 * x >= Math.max(Math.min(spread, 1.5) * cell.width, free)
}

function pointAt({ rx, ry }: Ring, at: number): Point {
  const angle = (Math.PI * at) / steps
  return { x: at === 0 || at === steps ? 0 : round(rx * Math.sin(angle)), y: round(-ry * Math.cos(angle)) }
}

/** In cells: boxes with their margin do not overlap from 1 on. */
function distance({ cell }: Ring, a: Point, b: Point): number {
  return Math.max(Math.abs(a.x - b.x) / cell.width, Math.abs(a.y - b.y) / cell.height)
}

function mirrored({ x, y }: Point): Point {
  return { x: -x, y }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
