/** The page of chat-browser-store.test.ts: the suite of stores, and a store that the test drives. */
import { durableCases, type EngineStore, KezError, openIndexedDbStore, storeCases, under } from "./store-parts.ts"

let store: EngineStore | undefined

/** What a call came to: its code, or what it gave. */
async function told(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return (await work()) ?? "ok"
  } catch (error) {
    return error instanceof KezError ? error.code : String(error)
  }
}

const opened = (): EngineStore => {
  if (store === undefined) throw new Error("no store")
  return store
}

interface Opening {
  readonly result: unknown
  readonly error: unknown
  onupgradeneeded: ((event: unknown) => void) | null
  onsuccess: (() => void) | null
  onerror: (() => void) | null
}

declare const indexedDB: { open(name: string, version?: number): Opening }

let goOn: (() => void) | undefined
let opening: Promise<unknown> | undefined

/** Resolves once the store has found which version the database has. It asks for the next one when the test lets it. */
function holdNextVersion(): Promise<void> {
  const open = indexedDB.open.bind(indexedDB)
  return new Promise((resolve) => {
    indexedDB.open = (name, version) => {
      if (version === undefined) return open(name)
      indexedDB.open = open
      let asked: Opening | undefined
      const held: Opening = {
        get result() {
          return asked?.result
        },
        get error() {
          return asked?.error
        },
        ...{ onupgradeneeded: null, onsuccess: null, onerror: null },
      }
      goOn = () => {
        asked = open(name, version)
        asked.onupgradeneeded = (event) => held.onupgradeneeded?.(event)
        asked.onsuccess = () => held.onsuccess?.()
        asked.onerror = () => held.onerror?.()
      }
      resolve()
      return held
    }
  })
}

const storePage = {
  names: [...storeCases, ...durableCases].map(({ name }) => name),
  async run(name: string) {
    const found = [...storeCases, ...durableCases].find((one) => one.name === name)
    await found?.run(() => openIndexedDbStore({ name: `suite ${name}` }))
    return found !== undefined
  },
  open: (name: string): Promise<unknown> =>
    told(async () => {
      store = await openIndexedDbStore({ name })
    }),
  async beginOpening(name: string) {
    const held = holdNextVersion()
    opening = storePage.open(name)
    await held
  },
  endOpening() {
    goOn?.()
    return opening
  },
  openWithForeignKey: (name: string) =>
    told(async () => {
      const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"])
      store = await openIndexedDbStore({ name, key })
    }),
  close: () => told(() => opened().close()),
  put: (key: string, size: number, fill = 1) =>
    told(() => opened().write([{ put: key, value: new Uint8Array(size).fill(fill) }])),
  size: (key: string) => told(async () => (await opened().get(key))?.length ?? "none"),
  keys: (prefix: string) => told(async () => (await opened().list(under(prefix))).map(({ key }) => key)),
  /** Pairs of rows, one write each, as fast as it goes, until the page ends. */
  async flood() {
    for (let i = 0; ; i++) {
      const name = String(i).padStart(8, "0")
      const value = new Uint8Array(200).fill(i % 256)
      await opened().write([
        { put: `a/${name}`, value },
        { put: `b/${name}`, value },
        { put: "count", value: new TextEncoder().encode(name) },
      ])
    }
  },
  count: () => told(async () => new TextDecoder().decode(await opened().get("count"))),
}

export type StorePage = typeof storePage

Object.assign(globalThis, { storePage })
