/**
 * The responder of the bench as a process of its own: ours, or a bare one on the same nats-server that opens the question, signs and
 * seals an answer with the same permissions, and checks nothing. Told by messages which of the two is to answer.
 */
import { connectService, readBrokerKeys, startResponder } from "@kez/broker"
import { forgetVerifiedSignatures, verifyConnectToken } from "@kez/core"
import type { NatsConnection } from "@nats-io/transport-node"
import { encodeAdmission } from "../../packages/broker/src/callout/answer.ts"
import { createBoxes } from "../../packages/broker/src/callout/box.ts"
import type { CalloutRequest } from "../../packages/broker/src/callout/request.ts"

export type Order = "product" | "bare" | "stop"

const [url = "", keyFolder = "", audience = ""] = process.argv.slice(2)
const keys = readBrokerKeys(keyFolder)
const nowSeconds = (): number => Math.floor(Date.now() / 1000)
let connection: NatsConnection | undefined

process.on("message", (order: Order) => void obey(order))
process.on("disconnect", () => process.exit(0))

async function obey(order: Order): Promise<void> {
  await connection?.close()
  connection = undefined
  if (order !== "stop") {
    connection = await connectService({ url, key: keys.auth, name: "kez-callout" })
    // Each device's first connection since the start: no signature is known yet.
    forgetVerifiedSignatures()
    if (order === "product") startProduct(connection)
    else startBare(connection)
    await connection.flush()
  }
  process.send?.("ready")
}

function startProduct(on: NatsConnection): void {
  startResponder({
    connection: on,
    issuer: keys.issuer,
    xkey: keys.xkey,
    decide({ token, nonce }) {
      const verdict = verifyConnectToken(token, { audience, nonce, nowSeconds: nowSeconds() })
      return verdict.ok ? { admit: verdict.connection } : { refuse: verdict.code }
    },
  })
}

function startBare(on: NatsConnection): void {
  const boxes = createBoxes(keys.xkey)
  const admission = { uid: "a".repeat(32), dev: "b".repeat(32), expiresAtSeconds: nowSeconds() + 3_600 }
  on.subscribe("$SYS.REQ.USER.AUTH", {
    callback: (_, message) => {
      const serverKey = message.headers?.get("Nats-Server-Xkey") ?? ""
      const jwt = Buffer.from(boxes.open(message.data, serverKey)).toString("latin1")
      const { nats } = JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString()) as {
        readonly nats: {
          readonly user_nkey: string
          readonly server_id: { readonly id: string; readonly name: string }
        }
      }
      const request: CalloutRequest = {
        userKey: nats.user_nkey,
        server: nats.server_id,
        expiresAtSeconds: 0,
        client: { host: "", connectionId: 0, type: "nats", name: "" },
        nonce: undefined,
        token: undefined,
      }
      const answer = encodeAdmission(request, { admission, issuer: keys.issuer, nowSeconds: nowSeconds() })
      message.respond(boxes.seal(Buffer.from(answer), serverKey))
    },
  })
}
