/** The address guard against every IANA special-purpose block. SPEC §7, adversarial case N2. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { assertPublicAddresses, isPublicAddress } from "../src/index.ts"
import { specialAddresses } from "./support/special-addresses.ts"

for (const [address, block] of specialAddresses) {
  test(`N2 ${address} (${block}) is refused with net.address`, () => {
    assert.equal(isPublicAddress(address), false)
    assert.throws(() => assertPublicAddresses("host.example", [address]), { code: "net.address" })
  })
}

const publicAddresses = [
  "1.1.1.1",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.0",
  "169.253.255.255",
  "172.15.255.255",
  "172.32.0.0",
  "192.0.1.0",
  "192.167.255.255",
  "192.169.0.0",
  "198.17.255.255",
  "198.20.0.0",
  "223.255.255.255",
  "2001:200::1",
  "2606:4700:4700::1111",
  "2a00:1450:4001:81b::200e",
  "2003::1",
]

for (const address of publicAddresses) {
  test(`isPublicAddress() accepts ${address}, next to a special block or plainly public`, () => {
    assert.equal(isPublicAddress(address), true)
  })
}

test("N4 one private address among public ones refuses all", () => {
  assert.throws(() => assertPublicAddresses("host.example", ["1.1.1.1", "10.0.0.1", "8.8.8.8"]), {
    code: "net.address",
  })
  assertPublicAddresses("host.example", ["1.1.1.1", "2606:4700:4700::1111"])
})

test("N1 isPublicAddress() is false for texts that other parsers read as an address", () => {
  const spellings = [
    "134744072",
    "8.8.2056",
    "010.8.8.8",
    "0x8.8.8.8",
    "8.8.8.8.",
    " 8.8.8.8",
    "８.8.8.8",
    "8.8.8.8:80",
  ]
  for (const text of [...spellings, "", "[2606:4700::1]", "2606:4700::1%eth0", "2606:4700::1/64"]) {
    assert.equal(isPublicAddress(text), false, text)
  }
})
