/**
 * Makes the real store worse than it ships, for the control run: `PRAGMA synchronous = NORMAL`, set from outside once it has
 * checked its own settings. The store itself has no such switch.
 */
import { DatabaseSync } from "node:sqlite"

const prepare = DatabaseSync.prototype.prepare
DatabaseSync.prototype.prepare = function (sql, ...others) {
  const statement = prepare.call(this, sql, ...others)
  // The first thing that is prepared after the file is open, for all writes to come.
  if (sql === "BEGIN IMMEDIATE") {
    this.exec("PRAGMA synchronous = NORMAL")
    if (prepare.call(this, "PRAGMA synchronous").get()?.["synchronous"] !== 1) throw new Error("it was not made worse")
    process.stderr.write("weakened\n")
  }
  return statement
}
