/** Ports of loopback for servers that have to have the same one after a restart. */
import { createServer } from "node:net"

/** Below those that the system gives to connections: one of these would be taken between the look and the start, now and then. */
const [first, count] = [10_000, 10_000]

/** Ports that nobody has. */
export async function freePorts(wanted: number): Promise<readonly number[]> {
  const found = new Set<number>()
  while (found.size < wanted) {
    const port = first + Math.floor(Math.random() * count)
    if (await isFree(port)) found.add(port)
  }
  return [...found]
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once("error", () => resolve(false))
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
