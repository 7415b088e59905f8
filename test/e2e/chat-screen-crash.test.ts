/** However the full-screen `kez chat` ends, the terminal is as it was: the main screen, lines and echo by the terminal, a cursor that is seen. */
import assert from "node:assert/strict"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { alternate, mainScreen, openSession, plain } from "../cli/support/pty.ts"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, envOf, startCouple } from "../support/chat-people.ts"
import { laterCleaner } from "../support/person.ts"

const faulty = `--import=${join(import.meta.dirname, "../support/throw-on-signal.ts")}`
const afterwards = 'echo "it ended with $?"; stty -a'
/** Lines are taken whole and shown as they are typed, signals come from keys, output is turned into lines. */
const sane = [" icanon", " echo", " isig", " opost", " icrnl"]
const codes = {
  showsCursor: "\u001b[?25h",
  hidesCursor: "\u001b[?25l",
  wraps: "\u001b[?7h",
  plainPaste: "\u001b[?2004l",
}

describe("a terminal after kez chat was ended", { skip: skipWithoutNats }, () => {
  const t = laterCleaner(after)
  let alice: Chatter
  before(async () => {
    ;({ alice } = await startCouple(t))
  })

  for (const { by, signal, code } of [
    { by: "an exception that nobody caught", signal: "SIGUSR2", code: 1 },
    { by: "SIGTERM", signal: "SIGTERM", code: 143 },
    { by: "SIGHUP", signal: "SIGHUP", code: 129 },
    { by: "SIGINT from elsewhere", signal: "SIGINT", code: 130 },
  ] as const) {
    test(`${by}: it is as it was, and the account opens again`, async () => {
      using session = openSession(["chat", "bob"], { env: { ...envOf(alice), NODE_OPTIONS: faulty }, afterwards })
      const [, pid] = await session.expect(/kez is (\d+)/)
      await session.expect(/● online/)
      session.type("half a line")
      await session.expect(/half a line/)
      process.kill(Number(pid), signal)
      const [, ended] = await session.expect(/it ended with (\d+)/)
      const [settings] = await session.expect(/speed [\s\S]*?extproc/)
      await session.end()
      assert.equal(Number(ended), code)
      const shown = ` ${plain(settings).replaceAll(/\s+/g, " ")}`
      for (const name of sane) assert.ok(shown.includes(name), `${name} in ${shown}`)
      const { screen } = session
      const left = screen.lastIndexOf(alternate.leave)
      assert.ok(left > screen.lastIndexOf(alternate.enter))
      assert.ok(screen.lastIndexOf(codes.showsCursor) > screen.lastIndexOf(codes.hidesCursor))
      for (const name of [codes.wraps, codes.plainPaste])
        assert.ok(screen.lastIndexOf(name) > screen.lastIndexOf(alternate.enter))
      if (signal === "SIGUSR2") assert.match(mainScreen(screen), /This is a bug in kez: a defect on purpose/)
      assert.equal((await alice.ok("contacts", "list")).contacts.length, 1)
    })
  }
})
