/** The long-lived process that answers the questions of the cross-test for this implementation: crosstest/PROTOCOL.md. */
import { answerLines } from "./answer.ts"
import { allJudges } from "./judges.ts"

// Refusals are the daily bread here; nobody reads where each was made.
Error.stackTraceLimit = 0
answerLines(allJudges)
