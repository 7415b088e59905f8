/** Conversations' ciphers, loaded once. What they write goes into the unit in hand, so that a key and what it opened are kept together or not at all. */
import { type Digest, KezError } from "@kez/core"
import type { Chains } from "../chains.ts"
import type { CipherStore } from "../cipher/group-cipher.ts"
import type { CipherPorts, MlsGroup } from "../cipher/mls-group.ts"
import { loadConversation } from "../cipher/mls-join.ts"
import type { DeviceKeys } from "../credential/device-keys.ts"
import { keys as rowKeys } from "./row.ts"
import type { Unit } from "./unit.ts"

export class Ciphers implements CipherStore {
  readonly ports: CipherPorts
  /** Chains that were asked for and are not known here: to be fetched. */
  readonly missed = new Set<Digest>()
  /** All that were asked for since it was emptied. */
  readonly asked = new Set<Digest>()
  readonly #loaded = new Map<Digest, MlsGroup>()
  readonly #journals = new Map<Digest, number>()
  #unit: Unit | undefined

  constructor({
    chains,
    now,
    keys,
  }: { readonly chains: Chains; readonly now: () => number; readonly keys: DeviceKeys }) {
    const noting: Chains = (chain) => {
      const known = chains(chain)
      this.asked.add(chain)
      if (known === undefined) this.missed.add(chain)
      return known
    }
    this.ports = { chains: noting, now, keys, store: this }
  }

  /** All that ciphers write until the next call is part of this unit. */
  begin(unit: Unit): void {
    this.#unit = unit
  }

  /** Nothing of the unit was kept: keys that moved in memory are not those on the disk. */
  undo({ touched }: Unit): void {
    for (const group of touched) {
      this.#loaded.delete(group)
      this.#journals.delete(group)
    }
  }

  async of(group: Digest): Promise<MlsGroup> {
    const loaded = this.#loaded.get(group)
    if (loaded !== undefined) return loaded
    const unit = this.#here()
    const record = await unit.bytes(rowKeys.record(group))
    if (record === undefined)
      throw new KezError("store.corrupt", "Cannot go on in a conversation: its keys are not in the store")
    const rows = await unit.rows(rowKeys.journal(group))
    const cipher = await loadConversation({ record, journal: rows.map(({ value }) => value) }, this.ports)
    const last = rows.at(-1)?.key
    this.#journals.set(group, last === undefined ? 0 : Number(last.slice(-16)) + 1)
    this.#loaded.set(group, cipher)
    return cipher
  }

  /** A conversation that was just made or joined, or made anew. */
  keep(cipher: MlsGroup): void {
    this.#loaded.set(cipher.group, cipher)
  }

  async saveRecord(group: Digest, record: Uint8Array): Promise<void> {
    const unit = this.#here()
    unit.touched.add(group)
    unit.putBytes(rowKeys.record(group), record)
    for (const { key } of await unit.rows(rowKeys.journal(group))) unit.delete(key)
    this.#journals.set(group, 0)
  }

  async appendJournal(group: Digest, entry: Uint8Array): Promise<void> {
    const unit = this.#here()
    const at = this.#journals.get(group) ?? 0
    unit.touched.add(group)
    unit.putBytes(rowKeys.journal(group, at), entry)
    this.#journals.set(group, at + 1)
  }

  #here(): Unit {
    if (this.#unit === undefined) throw new Error("a cipher wrote outside of a unit")
    return this.#unit
  }
}
