/** Where everything in the picture stands: the identity in the middle, rings of accounts, then rings of devices. Geometry only. */
import { capacityOf, type Point, placesAtBottom, placesOn, type Ring, type Size } from "./ring.ts"

export interface Sizes {
  readonly centre: Size
  readonly account: Size
  readonly device: Size
  /** Between boxes. */
  readonly gap: number
}

/** Middles of the boxes. */
export interface Layout {
  readonly accounts: readonly Point[]
  /** In the order of the devices, which is depth first: neighbours belong together. */
  readonly devices: readonly Point[]
  readonly bounds: { readonly left: number; readonly top: number; readonly width: number; readonly height: number }
}

/** Between the centre and the nearest box, so that lines can be seen. */
const reach = { x: 72, y: 78 }
/** A single ring is stretched up to this before there is another. */
const maxSingle = 24

export function layOut(accounts: number, devices: number, sizes: Sizes): Layout {
  for (let scale = 1; ; scale *= 1.05) {
    const layout = tryLayOut(accounts, devices, { ...sizes, scale })
    if (layout !== undefined) return layout
  }
}

interface Scaled extends Sizes {
  readonly scale: number
}

function tryLayOut(accounts: number, devices: number, sizes: Scaled): Layout | undefined {
  const rings = accountRings(accounts, devices, sizes)
  const places = placeAccounts(rings, accounts)
  if (places === undefined) return undefined
  const outer = placeDevices(rings.at(-1) ?? smallest(sizes), devices, sizes)
  if (outer === undefined) return undefined
  const boxes = boxesOf(places, outer, sizes)
  if (hasOverlap(boxes, sizes.gap / 2)) return undefined
  return { accounts: places, devices: outer, bounds: boundsOf(boxes) }
}

function smallest({ centre, account, scale }: Scaled): { readonly rx: number; readonly ry: number } {
  return {
    // Boxes are wide: a ring finds room more cheaply by growing higher.
    rx: (centre.width / 2 + reach.x + account.width / 2) * scale ** 0.4,
    ry: (centre.height / 2 + reach.y + account.height / 2) * scale,
  }
}

/** As many rings as the accounts need, each further out by a box. */
function accountRings(count: number, devices: number, sizes: Scaled): readonly Ring[] {
  const { account, gap } = sizes
  const cell = { width: account.width + gap, height: account.height + gap }
  // Through it run the lines to the devices.
  const opening = devices === 0 ? {} : { opening: { bottom: account.width + 60 + 40 * Math.min(devices, 5) } }
  const first: Ring = { ...smallest(sizes), cell, ...opening }
  if (count <= maxSingle) return [first]
  let ring = { ...first, ry: first.ry * 1.5 }
  const rings = [ring]
  for (let room = capacityOf(ring); room < count; room += capacityOf(ring)) {
    ring = { ...ring, rx: ring.rx + cell.width + 20, ry: ring.ry + cell.height * 3.6 }
    rings.push(ring)
  }
  return rings
}

/** Each ring gets its share, and all together are in the order of their angle: what is alike stands together. */
function placeAccounts(rings: readonly Ring[], count: number): readonly Point[] | undefined {
  if (rings.length === 1) return rings.map((ring) => placesOn(ring, count))[0]
  const rooms = rings.map(capacityOf)
  const room = rooms.reduce((sum, one) => sum + one, 0)
  let left = count
  const places: Point[] = []
  for (const [at, ring] of rings.entries()) {
    const share = at === rings.length - 1 ? left : Math.min(left, Math.floor((count * (rooms[at] ?? 0)) / room))
    const found = placesOn(ring, share)
    if (found === undefined) return undefined
    places.push(...found)
    left -= share
  }
  return places.toSorted((a, b) => clockwise(a) - clockwise(b) || a.y - b.y)
}

/** 0 at the top, clockwise. */
function clockwise({ x, y }: Point): number {
  const angle = Math.atan2(x, -y)
  return angle < 0 ? angle + 2 * Math.PI : angle
}

function placeDevices(
  inner: { readonly rx: number; readonly ry: number },
  count: number,
  { account, device, gap, scale }: Scaled,
): readonly Point[] | undefined {
  if (count === 0) return []
  const cell = { width: device.width + gap * 1.5, height: device.height + gap * 1.2 }
  const rx = inner.rx + (account.width / 2 + device.width / 2 + gap) * scale ** 0.4
  const ry = inner.ry + (account.height / 2 + device.height / 2 + reach.y * 0.5) * scale
  return placesAtBottom({ rx, ry, cell }, count)
}

interface Box extends Point, Size {}

function boxesOf(accounts: readonly Point[], devices: readonly Point[], sizes: Sizes): readonly Box[] {
  return [
    { x: 0, y: 0, ...sizes.centre },
    ...accounts.map((point) => ({ ...point, ...sizes.account })),
    ...devices.map((point) => ({ ...point, ...sizes.device })),
  ]
}

function hasOverlap(boxes: readonly Box[], gap: number): boolean {
  return boxes.some((a, i) =>
    boxes.some(
      (b, j) =>
        j > i &&
        Math.abs(a.x - b.x) < (a.width + b.width) / 2 + gap &&
        Math.abs(a.y - b.y) < (a.height + b.height) / 2 + gap,
    ),
  )
}

function boundsOf(boxes: readonly Box[]): Layout["bounds"] {
  const left = Math.min(...boxes.map(({ x, width }) => x - width / 2))
  const right = Math.max(...boxes.map(({ x, width }) => x + width / 2))
  const top = Math.min(...boxes.map(({ y, height }) => y - height / 2))
  const bottom = Math.max(...boxes.map(({ y, height }) => y + height / 2))
  return { left, top, width: right - left, height: bottom - top }
}
