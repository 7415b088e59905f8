/**
 * Real nostr relays on free ports of loopback: node relay.js COUNT [DELAY_MS]
 * Each message is answered after the delay. Prints their URLs as one line of JSON. Each has its own store in memory: the relay's own SQLite repository, over
 * the SQLite that Node brings, because the package's own binding needs an install script.
 */
import { DatabaseSync } from "node:sqlite"
import { setTimeout } from "node:timers/promises"
import { NostrRelay } from "@nostr-relay/core"
import { EventRepositorySqlite } from "@nostr-relay/event-repository-sqlite"
import { Validator } from "@nostr-relay/validator"
import { WebSocketServer } from "ws"

/** What the repository asks of better-sqlite3. */
function openStore() {
  const database = new DatabaseSync(":memory:")
  return {
    exec: (sql) => database.exec(sql),
    prepare(sql) {
      const statement = database.prepare(sql)
      return {
        reader: statement.columns().length > 0,
        all: (parameters = []) => statement.all(...parameters),
        get: (parameters = []) => statement.get(...parameters),
        run: (parameters = []) => statement.run(...parameters),
      }
    },
    close: () => database.close(),
  }
}

const [count = 1, delayMs = 0] = process.argv.slice(2).map(Number)

async function startRelay() {
  const repository = new EventRepositorySqlite(openStore())
  await repository.init()
  const relay = new NostrRelay(repository, { logLevel: 5, filterResultCacheTtl: 0, eventHandlingResultCacheTtl: 0 })
  const validator = new Validator()
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, maxPayload: 131_072 })
  server.on("connection", (socket) => {
    relay.handleConnection(socket, "127.0.0.1")
    socket.on("error", () => socket.close())
    socket.on("close", () => relay.handleDisconnect(socket))
    socket.on("message", async (data) => {
      if (delayMs > 0) await setTimeout(delayMs)
      try {
        await relay.handleMessage(socket, await validator.validateIncomingMessage(data))
      } catch (error) {
        socket.send(JSON.stringify(["NOTICE", error.message]))
      }
    })
  })
  await new Promise((resolve) => server.once("listening", resolve))
  return `ws://127.0.0.1:${server.address().port}`
}

const urls = await Promise.all(Array.from({ length: count }, startRelay))
process.stdout.write(`${JSON.stringify(urls)}\n`)
// The test that started this process ends it by closing its input, or by ending itself.
process.stdin.resume().on("end", () => process.exit(0))
