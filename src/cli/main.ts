#!/usr/bin/env node
// stdout belongs to the protocol: whatever a library prints goes to stderr. First thing, before anything is imported.
console.log = console.error
console.info = console.error
console.debug = console.error

const args = process.argv.slice(2)
const { wordsOf } = await import('./words.ts')
const isCommand = wordsOf(args).length > 0 || args.some((arg) => ['-h', '--help', '-V', '--version'].includes(arg))

// A stdio server is started for every session of some hosts: it loads nothing of the command line.
if (isCommand) {
  const { runProgram } = await import('./program.ts')
  process.exitCode = await runProgram(process.argv)
} else {
  const { runStdioServer } = await import('./stdio-server.ts')
  // Idle connections of the pool would keep the process alive; everything that was asked for has been answered.
  process.exit(await runStdioServer(args))
}
