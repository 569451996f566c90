#!/usr/bin/env node
/**
 * `tls-resume`: the command. Resumption as it looks from outside, as `openssl s_server` and `s_client` show TLS.
 *
 * Starting has to be cheap, because test drivers start it thousands of times: what a subcommand needs is imported when it runs.
 */
import { UsageError } from '../errors.js';
import { ConnectionFailed } from './failure.js';
import { program } from './program.js';

// Nobody reads any more (`| head`): no reason to stop serving, nor to fail.
process.stdout.on('error', () => undefined);
try {
  await program.parseAsync();
} catch (error) {
  // A failed connection has been reported where it happened.
  if (!(error instanceof ConnectionFailed)) console.error(`tls-resume: ${oneLine(error)}`);
  process.exitCode = 1;
}

function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (error instanceof UsageError ? message : `unexpected error: ${message}`).replace(/\s*\n\s*/g, ' ');
}
