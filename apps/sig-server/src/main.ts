#!/usr/bin/env -S node --disable-sigusr1 --max-semi-space-size=16 --max-old-space-size=1024
/**
 * The process kez-sig-server. The flags are bounds of the heap in MiB, for what is soon gone and for the rest: without them V8 lets it grow
 * to several times what is in use before it looks what is not.
 */
import { run } from "./cli.ts"

process.exitCode = await run(process.argv.slice(2), process.env)
