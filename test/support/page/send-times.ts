/** How long a message takes from `send` until the chat server has it on its disk, one after the other. In Node and in a page. */
import type { Engine } from "@kez/chat"

export async function sendTimes(engine: Engine, chain: string, count: number): Promise<readonly number[]> {
  const { id } = await engine.openDirect(chain)
  const events = engine.events()
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const began = performance.now()
    const { id: message } = await engine.send(id, { type: "text", text: `timed ${i}` })
    for (;;) {
      const { value: event, done } = await events.next()
      if (done === true) return times
      const isSent = event.kind === "outbox" && event.message === message && event.delivered.state !== "waiting"
      if (isSent) break
    }
    times.push(performance.now() - began)
  }
  await events.return?.()
  return times
}
