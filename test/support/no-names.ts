/** A DNS server on loopback that knows no name: tests need not wait for the system's resolver, wherever that is. RFC 1035 §4.1 */
import { createSocket } from "node:dgram"
import { once } from "node:events"

export interface NoNames {
  /** `127.0.0.1:port` */
  readonly address: string
  close(): void
}

export async function startNoNames(): Promise<NoNames> {
  const socket = createSocket("udp4")
  socket.on("message", (question, from) => {
    const answer = Buffer.from(question)
    // An answer, recursion available, NXDOMAIN; nothing beside the question.
    answer.writeUInt16BE(0x8183, 2)
    const end = question.indexOf(0, 12) + 5
    answer.writeUInt16BE(0, 6)
    answer.writeUInt16BE(0, 8)
    answer.writeUInt16BE(0, 10)
    socket.send(answer.subarray(0, end), from.port, from.address)
  })
  socket.bind(0, "127.0.0.1")
  await once(socket, "listening")
  return { address: `127.0.0.1:${socket.address().port}`, close: () => socket.close() }
}
