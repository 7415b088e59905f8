/** The directory over a real PostgreSQL, and two copies of the server on one. */
import assert from "node:assert/strict"
import { after, before, suite, test } from "node:test"
import { openPostgres } from "../../apps/chat-server/src/storage/postgres.ts"
import { directorySuite } from "../../apps/chat-server/test/directory-suite.ts"
import { ask, personWith, register, signerOf, startChatServer } from "../support/chat-server.ts"
import { postgresMissing, startPostgres, type TestPostgres } from "../support/postgres.ts"

suite("PostgreSQL", { skip: postgresMissing }, () => {
  let postgres: TestPostgres
  before(async () => {
    postgres = await startPostgres()
  })
  after(() => postgres?.close())

  directorySuite("PostgreSQL", { open: async () => openPostgres(await postgres.createDatabase()) })

  test("H5 two copies with one key give a handle out once, and show one log", async (t) => {
    const url = await postgres.createDatabase()
    const first = await startChatServer(t, { args: ["--database-url", url] })
    const key = ["--log-key", `${first.folder}/data/directory.key`]
    const second = await startChatServer(t, { args: ["--database-url", url, ...key] })
    const people = await Promise.all(
      Array.from({ length: 20 }, (_, at) => personWith(signerOf(at), "kez:alice@localhost")),
    )
    const answers = await Promise.all(
      people.map((person, at) => register(at % 2 === 0 ? first : second, person, "alice")),
    )
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, ...Array.from({ length: 19 }, () => 409)])
    const [one, two] = [await ask(`${first.url}/v1/handles/alice`), await ask(`${second.url}/v1/handles/alice`)]
    assert.deepEqual(one.body.proof, two.body.proof)
    await postgres.crash()
    assert.equal((await ask(`${first.url}/v1/handles/alice`)).status, 503)
    await postgres.start()
    assert.deepEqual((await ask(`${first.url}/v1/handles/alice`)).body.proof, one.body.proof)
  })

  test("a copy with a key of its own does not start: readers would see two logs", async (t) => {
    const url = await postgres.createDatabase()
    await startChatServer(t, { args: ["--database-url", url] })
    await assert.rejects(startChatServer(t, { args: ["--database-url", url] }), /directory\.key/)
  })
})
