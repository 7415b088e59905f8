/** Contacts as they are kept: who is pinned, accepted, blocked. */
import type { Digest } from "@kez/core"
import { openStops } from "./alarms.ts"
import { archiveLater } from "./archive-rows.ts"
import type { Desk } from "./desk.ts"
import type { Contact } from "./engine.ts"
import { type ContactRow, keys } from "./row.ts"
import type { Unit } from "./unit.ts"

export function contactRow(unit: Unit, chain: Digest): Promise<ContactRow | undefined> {
  return unit.get<ContactRow>(keys.contact(chain))
}

export async function contactOf(unit: Unit, desk: Desk, chain: Digest): Promise<Contact> {
  const row: ContactRow = (await contactRow(unit, chain)) ?? { chain, standing: "request", seenDevices: [] }
  const stop = (await openStops(unit)).find((alarm) => "contact" in alarm && alarm.contact === chain)
  return {
    chain,
    ...(row.handle === undefined ? {} : { handle: row.handle }),
    standing: row.standing,
    devices: currentDevices(desk, chain),
    ...(stop === undefined ? {} : { stop }),
  }
}

export async function putContact(unit: Unit, desk: Desk, row: ContactRow): Promise<void> {
  unit.put(keys.contact(row.chain), row)
  await archiveLater(unit, desk, { kind: "contact", chain: row.chain })
  const contact = await contactOf(unit, desk, row.chain)
  unit.afterwards(() => desk.tell({ kind: "contact", contact }))
}

/** Devices that a chain lists and that no losing branch revokes. */
export function currentDevices(desk: Desk, chain: Digest): readonly string[] {
  const devices = desk.known(chain)?.state.devices ?? []
  return devices.filter(({ suspended }) => !suspended).map(({ key }) => key)
}
