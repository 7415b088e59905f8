/** libzstd in WebAssembly: ready once its module is compiled, which browsers only do asynchronously. */
import { ZSTDDecoder } from "zstddec"

const decoder = new ZSTDDecoder()
let ready = false

export async function prepareWasmZstd(): Promise<void> {
  await decoder.init()
  ready = true
}

export function isWasmZstdReady(): boolean {
  return ready
}

/** See `Backend.decompressZstd`. libzstd reports errors as negative sizes; zstddec then returns an empty array. */
export function decompressWithWasm(frame: Uint8Array, maxBytes: number): Uint8Array | undefined {
  const content = decoder.decode(frame, maxBytes)
  return content.length === 0 ? undefined : content
}
