/** A zstd frame of raw blocks: valid for every decoder, without a compressor. RFC 8878 §3.1.1. */

const maxBlockBytes = 131_072
const windowDescriptorOf1MiB = 10 << 3

/** `bytes` as one frame with its content size, uncompressed. */
export function storeZstd(bytes: Uint8Array): Uint8Array {
  const size = bytes.length
  const single = size <= 1_048_576
  const blocks = Math.max(1, Math.ceil(size / maxBlockBytes))
  const header = [0x28, 0xb5, 0x2f, 0xfd, single ? 0xa0 : 0x80]
  if (!single) header.push(windowDescriptorOf1MiB)
  header.push(size & 255, (size >>> 8) & 255, (size >>> 16) & 255, size >>> 24)
  const frame = new Uint8Array(header.length + 3 * blocks + size)
  frame.set(header)
  let at = header.length
  for (let i = 0; i < blocks; i++) {
    const block = bytes.subarray(i * maxBlockBytes, (i + 1) * maxBlockBytes)
    const blockHeader = (block.length << 3) | (i === blocks - 1 ? 1 : 0)
    frame.set([blockHeader & 255, (blockHeader >>> 8) & 255, blockHeader >>> 16], at)
    frame.set(block, at + 3)
    at += 3 + block.length
  }
  return frame
}
