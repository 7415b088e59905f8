/** One side of a plain copy over TCP: reads a file into a socket, or a socket into a file that is made to last, as kez-iroh's are. */
import { createReadStream, createWriteStream } from "node:fs"
import { type AddressInfo, connect, createServer } from "node:net"
import { pipeline } from "node:stream/promises"

export type TcpOrder =
  | { readonly do: "receive"; readonly path: string }
  | { readonly do: "send"; readonly path: string; readonly port: number; readonly last: number }
export type TcpTold = { readonly isReady: true } | { readonly port: number } | { readonly isDone: true }

const highWaterMark = 1024 * 1024

function tell(told: TcpTold): void {
  process.send?.(told)
}

function done(): void {
  tell({ isDone: true })
}

process.on("message", (order: TcpOrder) => {
  if (order.do === "send") {
    void pipeline(
      createReadStream(order.path, { highWaterMark, end: order.last }),
      connect(order.port, "127.0.0.1"),
    ).then(done)
    return
  }
  const server = createServer(async (socket) => {
    server.close()
    await pipeline(socket, createWriteStream(order.path, { highWaterMark, flush: true }))
    done()
  })
  server.listen(0, "127.0.0.1", () => tell({ port: (server.address() as AddressInfo).port }))
})
tell({ isReady: true })
