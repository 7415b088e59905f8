/**
 * `sh scripts/node.sh scripts/nats-server.ts`: prints the path of a fit nats-server, fetched into the project's cache where none is.
 * Tests and `npm start` find it there by the same code.
 */
import { findNatsServer } from "@kez/broker"
import { KezError } from "@kez/core"

const { NATS_URL: _, ...env } = process.env
try {
  const found = await findNatsServer({ env, fetch: true, onStep: (text) => console.error(`kez: ${text}`) })
  if (found?.kind === "program") console.log(found.path)
} catch (error) {
  if (!(error instanceof KezError)) throw error
  console.error(`kez: ${error.message} [${error.code}]`)
  if (error.hint !== undefined) console.error(`hint: ${error.hint}`)
  process.exitCode = 1
}
